//! What can happen to a database, besides a kill.
//!
//! Knows how each trouble is made, and what the service must then do: say so, and neither trade
//! nor forget.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use autotrader::service::venue::{Venue, Weather, server};

use crate::child::{Launch, Program, Start};
use crate::client::Client;
use crate::crash::configured;
use crate::measure::{Endpoint, Seen};
use crate::output::Output;

const IN_USE: i32 = 75;
const UNUSABLE: i32 = 74;

/// How long a service may ask for the orders of its last life.
const READY_MAX: Duration = Duration::from_secs(10);

/// A service of its own directory, that has reset a currency and ended.
struct Place {
    launch: Launch,
    venue: Arc<Venue>,
    directory: tempfile::TempDir,
}

/// Tries everything; the names of what was tried.
pub(crate) async fn run(
    program: &Program,
    seen: &Seen,
    output: &Output,
) -> Result<Vec<&'static str>, String> {
    let mut tried = Vec::new();
    let place = Place::new(program).await?;
    output.progress("a full disk");
    judge(seen, &mut tried, "a full disk", full(&place).await);
    output.progress("two services, one database");
    judge(
        seen,
        &mut tried,
        "two services, one database",
        twice(&place).await,
    );
    output.progress("a damaged database");
    for (name, damage) in DAMAGES {
        let place = Place::new(program).await?;
        judge(seen, &mut tried, name, damaged(&place, damage).await);
    }
    output.progress("a read-only database");
    let place = Place::new(program).await?;
    judge(
        seen,
        &mut tried,
        "a database that is read-only",
        read_only(&place).await,
    );
    Ok(tried)
}

fn judge(
    seen: &Seen,
    tried: &mut Vec<&'static str>,
    name: &'static str,
    found: Result<(), String>,
) {
    match found {
        Ok(()) => tried.push(name),
        Err(why) => seen.fail(name, why),
    }
}

impl Place {
    async fn new(program: &Program) -> Result<Self, String> {
        let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
        let venue = Arc::new(Venue::new(Weather::Fast, 1));
        let address = server::serve(Arc::clone(&venue))
            .await
            .map_err(|error| error.to_string())?;
        let launch = Launch {
            program: program.clone(),
            directory: directory.path().to_owned(),
            config: configured(directory.path(), &format!("http://{address}")),
            as_nobody: false,
        };
        let place = Place {
            launch,
            venue,
            directory,
        };
        let service = place.launch.run()?;
        let client = place.client(&service.url)?;
        expect(&client, Endpoint::Reset, "BTC", 200).await?;
        service.end(Duration::from_secs(10))?;
        Ok(place)
    }

    fn client(&self, url: &str) -> Result<Client, String> {
        Client::new(url, &self.venue).map_err(|error| error.to_string())
    }

    fn database(&self) -> &Path {
        &self.launch.config.database
    }

    /// The service must not start, with this exit code, and must say something like this.
    fn refuses(&self, code: i32, word: &str) -> Result<(), String> {
        let orders = self.venue.orders().len();
        match self.launch.start().map_err(|error| error.to_string())? {
            Start::Running(_) => Err("the service has started".to_owned()),
            Start::Ended(status, words) if status.code() == Some(code) && words.contains(word) => {
                let later = self.venue.orders().len();
                if later == orders {
                    Ok(())
                } else {
                    Err("it has traded".to_owned())
                }
            }
            Start::Ended(status, words) => Err(format!("{status}: {words}")),
        }
    }

    /// The reset of BTC is still known.
    async fn remembers(&self) -> Result<(), String> {
        let service = self.launch.run()?;
        let client = self.client(&service.url)?;
        let stats = client.stats("BTC").await?;
        service.end(Duration::from_secs(10))?;
        if stats.paused && stats.epoch >= 1 {
            Ok(())
        } else {
            Err(format!("the reset is forgotten: {stats:?}"))
        }
    }
}

async fn expect(client: &Client, what: Endpoint, symbol: &str, status: u16) -> Result<(), String> {
    let (found, code) = client.change(what, symbol).await?;
    if found == status {
        Ok(())
    } else {
        Err(format!(
            "{what:?} {symbol}: {found} {code} instead of {status}"
        ))
    }
}

/// Waits until the service says that it is ready.
async fn until_ready(client: &Client) -> Result<(), String> {
    let deadline = Instant::now() + READY_MAX;
    loop {
        match client.ready().await? {
            Ok(()) => return Ok(()),
            Err(why) if Instant::now() >= deadline => return Err(format!("not ready: {why}")),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// While nothing can be written: errors with a code, no new order, looking goes on. Afterwards all
/// is well, and what was acknowledged survives.
async fn full(place: &Place) -> Result<(), String> {
    let service = place.launch.run()?;
    let client = place.client(&service.url)?;
    until_ready(&client).await?;
    service.set_disk_full(true)?;
    let (status, code) = client.change(Endpoint::Resume, "BTC").await?;
    if (status, code.as_str()) != (500, "not_durable") {
        return Err(format!("a resume on a full disk: {status} {code}"));
    }
    match client.ready().await? {
        Err(why) if why.contains("cannot be written") => {}
        other => return Err(format!("on a full disk it says of itself: {other:?}")),
    }
    client.stats("BTC").await?;
    // What had its intent written before may still arrive.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let orders = place.venue.orders().len();
    tokio::time::sleep(Duration::from_millis(500)).await;
    if place.venue.orders().len() != orders {
        return Err("orders were submitted whose intents cannot have been written".to_owned());
    }
    service.set_disk_full(false)?;
    expect(&client, Endpoint::Reset, "BTC", 200).await?;
    expect(&client, Endpoint::Reset, "ETH", 200).await?;
    until_ready(&client).await?;
    service.kill().map_err(|error| error.to_string())?;
    place.remembers().await
}

/// The second one refuses; the first one does not notice.
async fn twice(place: &Place) -> Result<(), String> {
    let service = place.launch.run()?;
    let client = place.client(&service.url)?;
    match place.launch.start().map_err(|error| error.to_string())? {
        Start::Running(_) => return Err("the second one has started".to_owned()),
        Start::Ended(status, words) => {
            if status.code() != Some(IN_USE) || !words.contains("in use") {
                return Err(format!("the second one: {status}: {words}"));
            }
        }
    }
    expect(&client, Endpoint::Reset, "BTC", 200).await?;
    service.end(Duration::from_secs(10)).map(|_| ())
}

/// The file is read by a user who may not write it.
async fn read_only(place: &Place) -> Result<(), String> {
    let run = || -> std::io::Result<Launch> {
        let directory = place.directory.path();
        let mut launch = place.launch.clone();
        if rustix::process::geteuid().is_root() {
            launch.as_nobody = true;
            launch.program = launch.program.copied_to(directory)?;
            // The log and the configuration are written by the acceptance itself.
            set_mode(directory, 0o777)?;
        }
        set_mode(place.database(), 0o444)?;
        Ok(launch)
    };
    let launch = run().map_err(|error| error.to_string())?;
    let refused = Place {
        launch,
        venue: Arc::clone(&place.venue),
        directory: tempfile::tempdir().map_err(|error| error.to_string())?,
    };
    refused.refuses(UNUSABLE, "read-only")?;
    set_mode(place.database(), 0o644).map_err(|error| error.to_string())?;
    place.remembers().await
}

fn set_mode(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

type Damage = fn(&Path) -> std::io::Result<()>;

const DAMAGES: [(&str, Damage); 4] = [
    ("a database that is empty", |path| {
        File::create(path).map(|_| ())
    }),
    ("a database that is cut off", |path| {
        let file = File::options().write(true).open(path)?;
        file.set_len(file.metadata()?.len() / 2)
    }),
    ("a database that is something else", |path| {
        fs::write(path, "not a database ".repeat(500))
    }),
    ("a database in which one bit is wrong", flip),
];

/// Changes one bit of the book of a currency: for SQLite all is well.
fn flip(path: &Path) -> std::io::Result<()> {
    let connection = rusqlite::Connection::open(path).map_err(std::io::Error::other)?;
    // Rows that have grown leave gaps, in which a bit is nobody's.
    connection
        .execute_batch("VACUUM")
        .map_err(std::io::Error::other)?;
    let page: i64 = connection
        .query_row(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'book'",
            [],
            |row| row.get(0),
        )
        .map_err(std::io::Error::other)?;
    let size: i64 = connection
        .query_row("PRAGMA page_size", [], |row| row.get(0))
        .map_err(std::io::Error::other)?;
    drop(connection);
    let mut file = File::options().read(true).write(true).open(path)?;
    let (page, size) = (page.unsigned_abs(), size.unsigned_abs());
    let mut byte = [0];
    // The last byte of a page of rows is in the first row's last column that is not 0.
    file.seek(SeekFrom::Start(page * size - 1))?;
    file.read_exact(&mut byte)?;
    file.seek(SeekFrom::Current(-1))?;
    file.write_all(&[byte[0] ^ 1])
}

/// It refuses, says why, and leaves the file as it is; a backup put back is as good as new.
async fn damaged(place: &Place, damage: Damage) -> Result<(), String> {
    let path = place.database();
    let text = |error: std::io::Error| error.to_string();
    let backup = fs::read(path).map_err(text)?;
    damage(path).map_err(text)?;
    let before = fs::read(path).map_err(text)?;
    if before == backup {
        return Err("the damage has done nothing".to_owned());
    }
    place.refuses(UNUSABLE, "damaged")?;
    if fs::read(path).map_err(text)? != before {
        return Err("the damaged file was changed".to_owned());
    }
    for suffix in ["-wal", "-shm"] {
        let mut left = path.as_os_str().to_owned();
        left.push(suffix);
        let _ = fs::remove_file(left);
    }
    fs::write(path, &backup).map_err(text)?;
    place.remembers().await
}
