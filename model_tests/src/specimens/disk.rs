//! A specimen that forgets.

use autotrader::{Currency, Refusal};
use gordian::Named;
use gordian::sync::Mutex;

use super::{Bot, Specimen};
use crate::disk::Row;
use crate::scenario::World;

/// U16: the state file is rewritten in place; what cannot be read after a crash is forgotten.
#[derive(Debug)]
pub struct TornStateFile {
    bot: Bot,
    /// `S`, around the file. The file is written after `L[c]` was given back.
    save: Mutex<()>,
}

impl TornStateFile {
    /// What the state file says; idle when it cannot be read.
    pub fn new(world: &World) -> Self {
        let bot = Bot::new(world);
        let file = world.disk.file();
        if file.whole {
            for (index, row) in file.rows.iter().enumerate() {
                let mut cell = bot.lock(Currency(index));
                if row.active {
                    cell.activate(crate::market::HOLD);
                    cell.volume = row.volume;
                }
                cell.paused = row.paused;
            }
        }
        TornStateFile {
            bot,
            save: Mutex::new(()).named("S"),
        }
    }

    fn save(&self) -> Result<(), Refusal> {
        let _save = self.save.lock();
        let rows: Vec<_> = (0..self.bot.world.currencies)
            .map(|index| {
                let cell = self.bot.snapshot(Currency(index));
                Row {
                    active: cell.active,
                    volume: cell.volume,
                    paused: cell.paused,
                }
            })
            .collect();
        self.bot
            .world
            .disk
            .rewrite(&rows)
            .map_err(|_| Refusal::Failed)
    }
}

impl Specimen for TornStateFile {
    fn bot(&self) -> &Bot {
        &self.bot
    }

    fn tick(&self, currency: Currency) {
        if let Some(price) = self.bot.price(currency) {
            self.bot.start_cycle(currency, price);
            let _logged = self.save();
        }
    }

    fn reset(&self, currency: Currency) -> Result<(), Refusal> {
        self.bot.lock(currency).reset();
        self.save()
    }

    fn resume(&self, currency: Currency) -> Result<(), Refusal> {
        self.bot.lock(currency).paused = false;
        self.save()
    }
}
