//! Where an agent learns which fleet to join: a config file, or three environment variables.

use flotilla_identity::{EnrollmentToken, InvalidToken};
use flotilla_protocol::{
    Timestamp,
    cidr::IpRange,
    endpoint::{Endpoint, InvalidEndpoint},
    enroll::{CONFIG_VERSION, ConfigFile},
    id::FleetId,
    pin::{InvalidPin, Pin},
};
use serde::Deserialize;
use std::{
    fs,
    io::{self, ErrorKind, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// The longest config file that is read, in bytes, many times what one has: another file that was named by mistake is
/// not read to its end.
const LONGEST: u64 = 64 * 1024;

/// The longest reason of a parser that is repeated, in characters.
const LONGEST_REASON: usize = 120;

/// Where an agent gets its enrollment from.
#[derive(Debug, Clone)]
pub enum EnrollmentSource {
    /// No source: the device must be enrolled already.
    None,
    /// A config file. It is read again when this device was revoked.
    File(PathBuf),
    /// The environment of a container, or of a shell.
    Environment(Environment),
    /// Handed over in process.
    Config(Box<ConfigFile>),
}

/// The variables that stand in for a config file.
#[derive(Clone, Default, derive_more::Debug)]
pub struct Environment {
    /// `FLOTILLA_ENROLL_URL`
    pub url: Option<String>,
    /// `FLOTILLA_TOKEN`
    #[debug(skip)]
    pub token: Option<String>,
    /// `FLOTILLA_CA_PIN`
    pub ca_pin: Option<String>,
}

impl Environment {
    /// No variable is set.
    pub fn is_empty(&self) -> bool {
        self.url.is_none() && self.token.is_none() && self.ca_pin.is_none()
    }
}

/// The token with which an agent enrolls, and where.
#[derive(Debug, Clone)]
pub(crate) struct Enrollment {
    pub(crate) token: EnrollmentToken,
    pub(crate) ca_pin: Pin,
    pub(crate) endpoints: Vec<Endpoint>,
    /// Known from a config file only.
    pub(crate) fleet: Option<FleetId>,
    pub(crate) expires: Option<Timestamp>,
}

/// Why a source gives no enrollment. Every text says what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("This device is not enrolled. In Flotilla, click Add Device and run what it shows here.")]
    Missing,
    #[error(
        "The config file {0} does not exist. Give the path of the file that Add Device made, with --config."
    )]
    NotFound(PathBuf),
    #[error(
        "The agent may not read the config file {0}. Give it to the agent's user: sudo chown flotilla {0}"
    )]
    Denied(PathBuf),
    #[error("The config file {path} cannot be read: {source}.")]
    Unreadable { path: PathBuf, source: io::Error },
    #[error(
        "{0} is too long to be a config file. Give the path of the file that Add Device made, with --config."
    )]
    TooLong(PathBuf),
    #[error(
        "The config file {0} is not text in UTF-8, as some editors and shells leave it. Download it again, and copy it as a file."
    )]
    NotText(PathBuf),
    #[error("The config file {path} is damaged or cut short{place}: {reason}. Download it again.")]
    Garbled {
        path: PathBuf,
        place: Place,
        reason: String,
    },
    #[error(
        "The config file {path} has version {version}, and this agent reads version {CONFIG_VERSION}. Update the agent."
    )]
    Version { path: PathBuf, version: u32 },
    #[error(
        "{0} is not set. FLOTILLA_ENROLL_URL, FLOTILLA_TOKEN and FLOTILLA_CA_PIN belong together: copy all three."
    )]
    Variable(&'static str),
    #[error("FLOTILLA_ENROLL_URL: {0}")]
    Url(InvalidEndpoint),
    #[error("FLOTILLA_CA_PIN: {0}. Copy it whole.")]
    Pin(#[from] InvalidPin),
    #[error("The enrollment token is not one: {0}. Copy it whole, or download the config file again.")]
    Token(#[from] InvalidToken),
    #[error("No address of control is given. Download the config file again.")]
    NoEndpoint,
    #[error(
        "The config file puts the mesh at {0}, which is not a private range. Choose one in Settings, inside 100.64.0.0/10, 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16, and download it again."
    )]
    Range(String),
}

/// Where in a file something is wrong.
#[derive(Debug, derive_more::Display)]
pub(crate) enum Place {
    #[display(" at line {_0}")]
    Line(usize),
    /// Something is missing, so there is no line to name.
    #[display("")]
    Everywhere,
}

impl Place {
    fn of(error: &toml::de::Error, text: &str) -> Self {
        match error.span() {
            Some(span) if span.end > 0 => {
                let before = text.bytes().take(span.start);
                Self::Line(1 + before.filter(|byte| *byte == b'\n').count())
            }
            _ => Self::Everywhere,
        }
    }
}

impl EnrollmentSource {
    /// # Errors
    /// There is a source, and it is of no use.
    pub(crate) fn read(&self) -> Result<Option<Enrollment>, ConfigError> {
        match self {
            Self::None => Ok(None),
            Self::File(path) => from_file(path).map(Some),
            Self::Environment(environment) => from_environment(environment).map(Some),
            Self::Config(config) => from_config(config).map(Some),
        }
    }

    /// The config file, when other users than the agent's can read it, and so the token.
    pub(crate) fn exposed_file(&self) -> Option<&Path> {
        let Self::File(path) = self else { return None };
        let mode = fs::metadata(path).ok()?.permissions().mode();
        (mode & 0o077 != 0).then_some(path)
    }
}

fn from_file(path: &Path) -> Result<Enrollment, ConfigError> {
    let file = fs::File::open(path).map_err(|source| unreadable(path, source))?;
    from_config(&parse(path, &text_of(path, file)?)?)
}

/// The text of a config file with which an agent can enroll. It is read once, so that the text that was checked is the
/// text that is used.
pub(crate) fn checked_text(path: &Path, source: impl io::Read) -> Result<Zeroizing<String>, ConfigError> {
    let text = text_of(path, source)?;
    from_config(&parse(path, &text)?)?;
    Ok(text)
}

fn text_of(path: &Path, source: impl io::Read) -> Result<Zeroizing<String>, ConfigError> {
    let mut text = Zeroizing::new(String::new());
    let length = source.take(LONGEST + 1).read_to_string(&mut text);
    if length.map_err(|source| unreadable(path, source))? as u64 > LONGEST {
        return Err(ConfigError::TooLong(path.to_owned()));
    }
    Ok(text)
}

pub(crate) fn unreadable(path: &Path, source: io::Error) -> ConfigError {
    match source.kind() {
        ErrorKind::NotFound => ConfigError::NotFound(path.to_owned()),
        ErrorKind::PermissionDenied => ConfigError::Denied(path.to_owned()),
        ErrorKind::InvalidData => ConfigError::NotText(path.to_owned()),
        _ => ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        },
    }
}

fn parse(path: &Path, text: &str) -> Result<ConfigFile, ConfigError> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    // The error's own display quotes the line it is about, and that may be the one with the token.
    let garbled = |error: toml::de::Error| ConfigError::Garbled {
        path: path.to_owned(),
        place: Place::of(&error, text),
        reason: brief(error.message()),
    };
    let Version { version } = toml::from_str(text).map_err(garbled)?;
    if version != CONFIG_VERSION {
        return Err(ConfigError::Version {
            path: path.to_owned(),
            version,
        });
    }
    toml::from_str(text).map_err(garbled)
}

/// A parser's message in a line that fits a log. A list of what it expected instead is left out where it is long.
fn brief(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let words = match line.split_once(", expected one of") {
        Some((words, _)) if line.len() > LONGEST_REASON => words,
        _ => line,
    };
    words.chars().take(LONGEST_REASON).collect()
}

fn from_config(config: &ConfigFile) -> Result<Enrollment, ConfigError> {
    if config.endpoints.is_empty() {
        return Err(ConfigError::NoEndpoint);
    }
    match config.mesh_cidr.parse::<IpRange>() {
        Ok(range) if range.is_private() => {}
        // A text that is no range may be anything, so it is not repeated.
        Ok(range) if range.first().is_ipv4() => return Err(ConfigError::Range(range.to_string())),
        _ => return Err(ConfigError::Range("an unknown place".to_owned())),
    }
    Ok(Enrollment {
        token: EnrollmentToken::parse(&config.token)?,
        ca_pin: config.ca_pin.clone(),
        endpoints: config.endpoints.clone(),
        fleet: Some(config.fleet_id),
        expires: Some(config.token_expires),
    })
}

fn from_environment(environment: &Environment) -> Result<Enrollment, ConfigError> {
    let required = |value: &Option<String>, name| value.clone().ok_or(ConfigError::Variable(name));
    let url = required(&environment.url, "FLOTILLA_ENROLL_URL")?;
    let address = url.trim().trim_start_matches("https://").trim_end_matches('/');
    Ok(Enrollment {
        endpoints: vec![address.parse().map_err(ConfigError::Url)?],
        token: EnrollmentToken::parse(&required(&environment.token, "FLOTILLA_TOKEN")?)?,
        ca_pin: required(&environment.ca_pin, "FLOTILLA_CA_PIN")?.trim().parse()?,
        fleet: None,
        expires: None,
    })
}

#[cfg(test)]
mod tests;
