//! The service: what runs the core for real.
//!
//! Knows how the parts fit: configuration, database, exchange, main loop, endpoints. The protocol
//! is the core's, the rest of this crate, which does not know that this module exists: its source
//! is what the models explore, here with parking_lot's locks.
//!
//! ```text
//!            clients ── http ──╮                       ╭── adapter ── exchange
//!                              ├── core (the protocol) ┤
//!   bot: the main loop thread ─╯                       ╰── store: one thread, SQLite
//! ```

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::{Autotrader, Protocol, Settings};

pub mod adapter;
pub mod bot;
pub mod clock;
pub mod command;
pub mod config;
pub mod http;
pub mod metrics;
pub mod snapshot;
#[cfg(feature = "specimens")]
pub mod specimens;
pub mod store;
pub mod venue;

use adapter::{CallCounts, HttpExchange, Line};
use bot::{Bot, Pace};
use config::Config;
use metrics::Metrics;
use snapshot::{Looks, Snapshot};
use store::{Loaded, Store, StoreError};
use venue::Venue;

/// How often the page is brought up to date.
const SHOW_INTERVAL: Duration = Duration::from_millis(500);

/// What all endpoints share.
pub struct App {
    protocol: Arc<dyn Protocol>,
    bot: Bot,
    store: Arc<Store>,
    symbols: Vec<String>,
    looks: Looks,
    calls: Arc<CallCounts>,
    metrics: Metrics,
    config: Config,
    /// The page's data; empty when there will be no more.
    shown: watch::Sender<Arc<str>>,
    ending: AtomicBool,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("symbols", &self.symbols)
            .finish_non_exhaustive()
    }
}

impl App {
    /// Whether the service does what it is for, or why not.
    pub fn ready(&self) -> Result<(), &'static str> {
        let pulse = self.bot.pulse();
        if self.ending.load(Ordering::Relaxed) {
            Err("it is shutting down")
        } else if !self.store.health().is_good() {
            Err("the database cannot be written")
        } else if pulse.running && pulse.settling {
            Err("orders of an earlier run are being resolved")
        } else {
            Ok(())
        }
    }

    /// The loop.
    pub fn bot(&self) -> &Bot {
        &self.bot
    }
}

/// Why the service does not run.
#[derive(Debug)]
pub enum ServiceError {
    /// The database is not one to trade on.
    Store(StoreError),
    /// Something that the system does not give: a port, a file, a thread.
    System(&'static str, io::Error),
    /// The main loop died.
    LoopFailed,
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ServiceError::Store(error) => error.fmt(f),
            ServiceError::System(what, error) => write!(f, "{what}: {error}"),
            ServiceError::LoopFailed => f.write_str("the main loop has failed"),
        }
    }
}

impl std::error::Error for ServiceError {}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        ServiceError::Store(error)
    }
}

/// A service that trades and listens, and does not answer yet.
#[derive(Debug)]
pub struct Service {
    app: Arc<App>,
    listener: TcpListener,
    address: SocketAddr,
}

impl Service {
    /// Opens everything and begins to trade, if it did when it ended.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn open(config: Config) -> Result<Self, ServiceError> {
        // First of all the port: who cannot answer shall not trade.
        let listener = TcpListener::bind(config.listen).await;
        let listener = listener.map_err(|error| ServiceError::System("`listen`", error))?;
        let address = listener.local_addr();
        let address = address.map_err(|error| ServiceError::System("`listen`", error))?;
        let configured: Vec<_> = config
            .currencies
            .iter()
            .map(|currency| currency.symbol.clone())
            .collect();
        let expiry = Duration::from_millis(config.exchange.order_expiry_ms);
        let (store, loaded) = Store::open(&config.database, &configured, expiry)?;
        let exchange = connect(&config, &loaded, &store).await?;
        let app = assemble(config, exchange, store, loaded);
        let opened = Arc::clone(&app.0);
        if app.1 {
            let started = tokio::task::spawn_blocking(move || {
                // What was not written down did not begin.
                opened.bot.start().inspect_err(|_| {
                    opened.bot.shut_down(Duration::ZERO);
                })
            });
            if !matches!(started.await, Ok(Ok(_))) {
                let error = io::Error::other("the start could not be written");
                return Err(ServiceError::System("the database", error));
            }
        }
        Ok(Service {
            app: app.0,
            listener,
            address,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What the endpoints share.
    pub fn app(&self) -> Arc<App> {
        Arc::clone(&self.app)
    }

    /// Answers until `end`, then ends in order: no new order, then those in flight, then the
    /// requests in progress, then the database.
    ///
    /// # Errors
    /// When the main loop died.
    pub async fn run(self, end: impl Future<Output = ()>) -> Result<(), ServiceError> {
        let Service { app, listener, .. } = self;
        let showing = tokio::spawn(show(Arc::clone(&app)));
        let limits = app.config.http.clone();
        let router = http::router(Arc::clone(&app));
        let mut failed = false;
        let over = async {
            tokio::select! {
                () = end => {}
                () = app.bot.failed() => failed = true,
            }
            shut_down(&app).await;
            showing.abort();
            app.shown.send_replace(Arc::from(""));
        };
        http::listen::serve(listener, router, &limits, over).await;
        let store = Arc::clone(&app.store);
        // A writer that panicked has said so.
        let _ = tokio::task::spawn_blocking(move || store.close()).await;
        if failed {
            Err(ServiceError::LoopFailed)
        } else {
            Ok(())
        }
    }
}

/// The exchange that is configured, or one of our own, which is reached in the same way.
async fn connect(
    config: &Config,
    loaded: &Loaded,
    store: &Store,
) -> Result<HttpExchange, ServiceError> {
    let settings = &config.exchange;
    let failed = |error| ServiceError::System("`exchange`", error);
    let url = if settings.url.is_empty() {
        let venue = Venue::with_file(settings.weather, settings.seed, &settings.book);
        let address = venue::server::serve(Arc::new(venue.map_err(failed)?)).await;
        let address = address.map_err(failed)?;
        tracing::info!(%address, weather = %settings.weather, "the exchange is a simulated one");
        format!("http://{address}")
    } else {
        settings.url.trim_end_matches('/').to_owned()
    };
    let line = Line {
        url,
        instance: loaded.instance.clone(),
        timeout: Duration::from_millis(settings.timeout_ms),
    };
    let symbols = loaded.symbols.clone();
    HttpExchange::new(line, symbols, Handle::current(), store.expiries())
        .map_err(|error| failed(io::Error::other(error)))
}

/// Puts the parts together; and whether it shall trade.
fn assemble(
    config: Config,
    exchange: HttpExchange,
    store: Store,
    loaded: Loaded,
) -> (Arc<App>, bool) {
    let store = Arc::new(store);
    let calls = exchange.counts();
    let mut settings = config.settings();
    let number = |symbol: &String| loaded.symbols.iter().position(|known| known == symbol);
    settings
        .currencies
        .sort_by_key(|currency| number(&currency.symbol));
    let protocol = protocol(&config, exchange, Arc::clone(&store), settings, &loaded);
    let pace = Pace {
        pass_interval: Duration::from_millis(config.trading.pass_interval_ms),
        settle_for: Duration::from_millis(
            config.exchange.order_expiry_ms + 2 * config.exchange.timeout_ms,
        ),
    };
    let bot = Bot::new(
        Arc::clone(&protocol),
        Arc::clone(&store),
        loaded.sequence,
        pace,
    );
    let app = App {
        protocol,
        bot,
        store,
        looks: Looks::new(loaded.symbols.len()),
        symbols: loaded.symbols,
        calls,
        metrics: Metrics::default(),
        config,
        shown: watch::Sender::new(Arc::from("{}")),
        ending: AtomicBool::new(false),
    };
    (Arc::new(app), loaded.running)
}

/// The reference protocol; in builds for tests perhaps a broken variant.
fn protocol(
    config: &Config,
    exchange: HttpExchange,
    store: Arc<Store>,
    settings: Settings,
    loaded: &Loaded,
) -> Arc<dyn Protocol> {
    let reference = |exchange, settings| -> Arc<dyn Protocol> {
        Arc::new(Autotrader::restored(
            exchange,
            store,
            settings,
            &loaded.records,
        ))
    };
    #[cfg(feature = "specimens")]
    if let Some(specimen) = config.specimen {
        tracing::warn!(?specimen, "a broken variant trades: this is a test");
        return specimen.build(exchange, settings, reference);
    }
    let _ = config;
    reference(exchange, settings)
}

/// Keeps the page up to date.
async fn show(app: Arc<App>) {
    let mut ticks = tokio::time::interval(SHOW_INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if app.shown.receiver_count() == 0 {
            continue;
        }
        let looking = Arc::clone(&app);
        let shown = tokio::task::spawn_blocking(move || Snapshot::take(&looking).shown()).await;
        if let Ok(shown) = shown {
            app.shown.send_replace(Arc::from(shown.to_string()));
        }
    }
}

async fn shut_down(app: &Arc<App>) {
    app.ending.store(true, Ordering::Relaxed);
    let grace = Duration::from_millis(app.config.trading.shutdown_grace_ms);
    let ending = Arc::clone(app);
    let ended = tokio::task::spawn_blocking(move || ending.bot.shut_down(grace)).await;
    match ended {
        Ok(true) => tracing::info!("no order is in flight"),
        _ => tracing::warn!("an order in flight is left to its record"),
    }
}
