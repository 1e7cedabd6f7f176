//! What the service is told: flags over environment over file over defaults.
//!
//! Knows every key, its default and its bounds; a wrong value is refused with its key and where it
//! came from. Does not know what the values are used for.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use figment::providers::{Env, Format, Serialized, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};
use serde::{Deserialize, Serialize};

use super::venue::Weather;
use crate::{CurrencySettings, Row, Settings};

/// The currencies traded in production.
pub const SYMBOLS: [&str; 16] = [
    "ETH", "XRP", "SOL", "DOGE", "ADA", "BTC", "SUI", "ICP", "TAO", "LTC", "BNB", "LINK", "WLD",
    "ANIME", "GT", "XRP5L",
];

/// The whole configuration.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the service listens.
    pub listen: SocketAddr,
    /// What clients must show in `Authorization: Bearer`; empty: nothing, on loopback only.
    pub token: Secret,
    /// The database file.
    pub database: PathBuf,
    /// A broken variant instead of the reference.
    #[cfg(feature = "specimens")]
    pub specimen: Option<super::specimens::Specimen>,
    /// The exchange.
    pub exchange: ExchangeConfig,
    /// The main loop.
    pub trading: TradingConfig,
    /// Limits of what clients may do.
    pub http: HttpConfig,
    /// Logs.
    pub log: LogConfig,
    /// The currencies.
    pub currencies: Vec<CurrencySettings>,
}

/// Which exchange, and how long to wait for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExchangeConfig {
    /// Where it is; empty: one that is simulated inside of the service.
    pub url: String,
    /// How long a call may take before it counts as failed.
    pub timeout_ms: u64,
    /// How long after its intent was written an order may still be placed.
    pub order_expiry_ms: u64,
    /// How the simulated exchange behaves.
    pub weather: Weather,
    /// The seed of its behaviour.
    pub seed: u64,
    /// The simulated exchange's own book, which outlives the service.
    pub book: PathBuf,
}

/// The main loop.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TradingConfig {
    /// Pause between two passes over all currencies.
    pub pass_interval_ms: u64,
    /// How long a shutdown waits for the operation in flight before it leaves it to the records.
    pub shutdown_grace_ms: u64,
}

/// Limits of what clients may do.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpConfig {
    /// The largest body of a request.
    pub body_bytes_max: usize,
    /// The largest head of a request: request line and headers.
    pub head_bytes_max: usize,
    /// How long a client may take to send a head, and then a body.
    pub read_timeout_ms: u64,
    /// Connections at a time; one more waits.
    pub connections_max: usize,
}

/// Logs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// What is logged, as in `info,autotrader=debug`.
    pub filter: String,
    /// One line of text or of JSON for each event.
    pub format: LogFormat,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// A text that is not shown.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "none" } else { "hidden" })
    }
}

impl Default for Config {
    fn default() -> Self {
        Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 8787)),
            token: Secret::default(),
            database: PathBuf::from("autotrader.db"),
            exchange: ExchangeConfig {
                url: String::new(),
                timeout_ms: 20_000,
                order_expiry_ms: 30_000,
                weather: Weather::Fast,
                seed: 1,
                book: PathBuf::from("autotrader-exchange.jsonl"),
            },
            trading: TradingConfig {
                pass_interval_ms: 1_000,
                shutdown_grace_ms: 25_000,
            },
            http: HttpConfig {
                body_bytes_max: 4_096,
                head_bytes_max: 16_384,
                read_timeout_ms: 5_000,
                connections_max: 512,
            },
            log: LogConfig {
                filter: "info".to_owned(),
                format: LogFormat::Text,
            },
            currencies: SYMBOLS.map(currency).to_vec(),
            #[cfg(feature = "specimens")]
            specimen: None,
        }
    }
}

/// Four purchases, each after a fall by 1 %; sold for 1 % more than they cost.
fn currency(symbol: &str) -> CurrencySettings {
    let row = |volume| Row {
        drop_permille: 10,
        volume,
    };
    CurrencySettings {
        symbol: symbol.to_owned(),
        rows: [10, 10, 20, 40].map(row).to_vec(),
        profit_permille: 10,
        permitted: true,
    }
}

/// What flags may say. One that is not given leaves the key to the environment.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Flags {
    /// A file in TOML with any of the keys that `--print-config` shows.
    #[arg(long, value_name = "FILE", env = "AUTOTRADER_CONFIG")]
    pub config: Option<PathBuf>,
    /// Address and port to listen on; beyond loopback a token is needed.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<String>,
    /// The database file.
    #[arg(long, value_name = "FILE")]
    pub database: Option<String>,
    /// Address of the exchange, such as `http://127.0.0.1:9000`; without it one is simulated.
    #[arg(long, value_name = "URL")]
    pub exchange: Option<String>,
    /// How the simulated exchange behaves: fast, slow3, slow15, hanging or lossy.
    #[arg(long, value_name = "NAME")]
    pub weather: Option<String>,
    /// The seed of the simulated exchange.
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// What is logged, such as `info` or `warn,autotrader=debug`.
    #[arg(long, value_name = "FILTER")]
    pub log: Option<String>,
}

impl Flags {
    fn values(&self) -> Vec<(&'static str, Value)> {
        let texts = [
            ("listen", &self.listen),
            ("database", &self.database),
            ("exchange.url", &self.exchange),
            ("exchange.weather", &self.weather),
            ("log.filter", &self.log),
        ];
        let texts = texts.into_iter().filter_map(|(key, value)| {
            value
                .as_ref()
                .map(|value| (key, Value::from(value.clone())))
        });
        let seed = self.seed.map(|seed| ("exchange.seed", Value::from(seed)));
        texts.chain(seed).collect()
    }
}

impl Provider for Flags {
    fn metadata(&self) -> Metadata {
        Metadata::named("the flags")
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let mut figment = Figment::new();
        for (key, value) in self.values() {
            figment = figment.merge(Serialized::default(key, value));
        }
        figment.data()
    }
}

/// A configuration that cannot be used: which key, and why.
#[derive(Debug)]
pub struct ConfigError(String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

impl From<figment::Error> for ConfigError {
    fn from(error: figment::Error) -> Self {
        let lines: Vec<_> = error.into_iter().map(|error| error.to_string()).collect();
        ConfigError(lines.join("\n"))
    }
}

impl Config {
    /// Puts the configuration together and checks it.
    ///
    /// # Errors
    /// When a file cannot be read, or a key is unknown or has a value that it cannot have.
    pub fn load(flags: &Flags) -> Result<Self, ConfigError> {
        let mut figment = Figment::from(Serialized::defaults(Config::default()));
        if let Some(file) = &flags.config {
            if !file.is_file() {
                let file = file.display();
                return Err(ConfigError(format!("the file `{file}` cannot be found")));
            }
            figment = figment.merge(Toml::file_exact(file));
        }
        // `config` names the file itself. A token of digits must not become a number.
        let variables = Env::prefixed("AUTOTRADER_").ignore(&["config", "token"]);
        figment = figment.merge(variables.split("__"));
        if let Ok(token) = std::env::var("AUTOTRADER_TOKEN") {
            figment = figment.merge(Serialized::default("token", token));
        }
        let config: Config = figment.merge(flags).extract()?;
        config.check()?;
        Ok(config)
    }

    /// Checks what types cannot say.
    fn check(&self) -> Result<(), ConfigError> {
        let token = &self.token.0;
        let open = !self.listen.ip().is_loopback();
        let one_of_few: [(&str, u64, std::ops::RangeInclusive<u64>); 7] = [
            (
                "exchange.timeout_ms",
                self.exchange.timeout_ms,
                10..=600_000,
            ),
            (
                "exchange.order_expiry_ms",
                self.exchange.order_expiry_ms,
                10..=600_000,
            ),
            (
                "trading.pass_interval_ms",
                self.trading.pass_interval_ms,
                1..=3_600_000,
            ),
            (
                "http.body_bytes_max",
                self.http.body_bytes_max as u64,
                64..=1_048_576,
            ),
            // hyper's own least.
            (
                "http.head_bytes_max",
                self.http.head_bytes_max as u64,
                8_192..=1_048_576,
            ),
            (
                "http.read_timeout_ms",
                self.http.read_timeout_ms,
                10..=600_000,
            ),
            (
                "http.connections_max",
                self.http.connections_max as u64,
                1..=100_000,
            ),
        ];
        for (key, value, range) in one_of_few {
            refuse_if(!range.contains(&value), key, || {
                format!("{value} is not in {} to {}", range.start(), range.end())
            })?;
        }
        refuse_if(open && token.is_empty(), "token", || {
            let address = self.listen;
            format!("`{address}` can be reached from other machines: set AUTOTRADER_TOKEN")
        })?;
        refuse_if(!token.is_empty() && token.len() < 16, "token", || {
            "it can be guessed: at least 16 characters".to_owned()
        })?;
        let graphic = token.bytes().all(|byte| byte.is_ascii_graphic());
        refuse_if(!graphic, "token", || {
            "only visible ASCII characters fit a header".to_owned()
        })?;
        let url = &self.exchange.url;
        let known =
            url.is_empty() || reqwest::Url::parse(url).is_ok_and(|url| url.scheme() == "http");
        refuse_if(!known, "exchange.url", || {
            format!("`{url}` is not an address in http")
        })?;
        self.check_currencies()
    }

    fn check_currencies(&self) -> Result<(), ConfigError> {
        let key = "currencies";
        refuse_if(self.currencies.is_empty(), key, || {
            "the list is empty: there is nothing to trade".to_owned()
        })?;
        let mut seen = std::collections::BTreeSet::new();
        for CurrencySettings {
            symbol,
            rows,
            profit_permille,
            ..
        } in &self.currencies
        {
            let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
            let named = (1..=16).contains(&symbol.len()) && symbol.bytes().all(plain);
            refuse_if(!named, key, || {
                format!("`{symbol}` is not a symbol: 1 to 16 capitals and digits")
            })?;
            refuse_if(!seen.insert(symbol), key, || {
                format!("`{symbol}` is there twice")
            })?;
            refuse_if(rows.is_empty(), key, || format!("`{symbol}` has no rows"))?;
            let volumes = rows
                .iter()
                .all(|row| (1..=1_000_000_000).contains(&row.volume));
            refuse_if(!volumes, key, || {
                format!("`{symbol}`: a row's volume must be in 1 to 1000000000")
            })?;
            let permille = |value: i64| (0..=1_000).contains(&value);
            let bounded =
                permille(*profit_permille) && rows.iter().all(|row| permille(row.drop_permille));
            refuse_if(!bounded, key, || {
                format!("`{symbol}`: thousandths are 0 to 1000")
            })?;
        }
        Ok(())
    }

    /// What the core is told.
    pub fn settings(&self) -> Settings {
        Settings {
            currencies: self.currencies.clone(),
        }
    }

    /// Whether clients on this machine only can come.
    pub fn is_local(&self) -> bool {
        matches!(self.listen.ip(), IpAddr::V4(ip) if ip.is_loopback())
            || self.listen.ip().is_loopback()
    }

    /// How long a client may take to send a head, and then a body.
    pub fn read_timeout(&self) -> Duration {
        Duration::from_millis(self.http.read_timeout_ms)
    }

    /// As a file that says the same; the token is left out.
    ///
    /// # Errors
    /// When a value cannot be said in TOML: a path that is no text.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        let shown = Config {
            token: Secret::default(),
            ..self.clone()
        };
        toml::to_string(&shown)
    }

    /// A configuration whose files are in a directory: for tests and for the acceptance.
    pub fn in_directory(directory: &Path) -> Self {
        let mut config = Config {
            database: directory.join("autotrader.db"),
            ..Config::default()
        };
        config.listen.set_port(0);
        config.exchange.book = directory.join("exchange.jsonl");
        config
    }
}

fn refuse_if(wrong: bool, key: &str, why: impl FnOnce() -> String) -> Result<(), ConfigError> {
    if wrong {
        Err(ConfigError(format!("`{key}`: {}", why())))
    } else {
        Ok(())
    }
}
