//! Where control listens, its token, and whether the control that wrote both down still runs.

use crate::Error;
use http::{Uri, uri::Authority};
use serde::Deserialize;
use std::{
    env,
    fs::{self, File, TryLockError},
    io,
    path::Path,
};

/// Name of the file in which a running control leaves its address and token.
const FILE: &str = "api.json";

/// Name of the file that a running control holds locked.
const LOCK: &str = "lock";

const URL_VARIABLE: &str = "FLOTILLA_API";
const TOKEN_VARIABLE: &str = "FLOTILLA_API_TOKEN";

/// A control's address and the token for it.
#[derive(Clone, derive_more::Debug)]
#[debug("Access({authority}, …)")]
pub struct Access {
    pub(crate) authority: Authority,
    pub(crate) token: String,
}

#[derive(Deserialize)]
struct ApiFile {
    url: String,
    token: String,
}

impl Access {
    /// An access to the control at `url`, with its token.
    ///
    /// # Errors
    /// The URL is not `http://HOST:PORT`, or the token has characters no token has; says which.
    pub fn new(url: &str, token: &str) -> Result<Self, &'static str> {
        let uri: Uri = url.parse().map_err(|_| "the address is not a URL")?;
        if uri.scheme_str() != Some("http") || !matches!(uri.path(), "" | "/") {
            return Err("the address is not of the form http://HOST:PORT");
        }
        let authority = uri
            .into_parts()
            .authority
            .filter(|authority| authority.port_u16().is_some());
        let authority = authority.ok_or("the address is not of the form http://HOST:PORT")?;
        if authority.as_str().contains('@') {
            return Err("the address must not contain a user name");
        }
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("the token is empty or garbled");
        }
        Ok(Self {
            authority,
            token: token.to_owned(),
        })
    }

    /// The access that the control of this data directory has written down.
    ///
    /// # Errors
    /// No control runs there, or its file cannot be read.
    pub fn from_data_dir(data_dir: &Path) -> Result<Self, Error> {
        let path = data_dir.join(FILE);
        let unusable = |reason: String| Error::AccessFile {
            path: path.clone(),
            reason,
        };
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Error::NotRunning { path }),
            Err(error) => {
                return Err(unusable(format!(
                    "{error}. Run this as the user that runs Flotilla."
                )));
            }
        };
        let again = "Restart Flotilla to have it written again.";
        // The parser's own message could quote the token.
        let file: ApiFile =
            serde_json::from_str(&text).map_err(|_| unusable(format!("it is garbled. {again}")))?;
        let access =
            Self::new(&file.url, &file.token).map_err(|reason| unusable(format!("{reason}. {again}")))?;
        if is_abandoned(data_dir) {
            return Err(Error::Ended { path });
        }
        Ok(access)
    }

    /// `FLOTILLA_API` and `FLOTILLA_API_TOKEN` where they are set, else the data directory. A token alone is for the
    /// control of the data directory: it never falls back to the owner's.
    ///
    /// # Errors
    /// As [`Access::from_data_dir`], or the variables cannot be used.
    pub fn from_env(data_dir: &Path) -> Result<Self, Error> {
        Self::chosen(
            env::var(URL_VARIABLE).ok(),
            env::var(TOKEN_VARIABLE).ok(),
            data_dir,
        )
    }

    fn chosen(url: Option<String>, token: Option<String>, data_dir: &Path) -> Result<Self, Error> {
        let unusable = |variable| move |reason| Error::Environment { variable, reason };
        match (url, token) {
            (None, None) => Self::from_data_dir(data_dir),
            (Some(_), None) => Err(unusable(TOKEN_VARIABLE)(
                "FLOTILLA_API is set, so it must hold that control's token",
            )),
            (Some(url), Some(token)) => Self::new(&url, &token).map_err(unusable(URL_VARIABLE)),
            (None, Some(token)) => {
                let here = Self::from_data_dir(data_dir)?;
                let url = format!("http://{}", here.authority);
                Self::new(&url, &token).map_err(unusable(TOKEN_VARIABLE))
            }
        }
    }
}

/// Whether no process holds the directory's lock. Where locks can't be queried, control's own proof decides.
fn is_abandoned(data_dir: &Path) -> bool {
    match File::open(data_dir.join(LOCK)) {
        Err(error) => error.kind() == io::ErrorKind::NotFound,
        Ok(lock) => match lock.try_lock_shared() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_address_with_a_port_is_used() {
        assert!(Access::new("http://127.0.0.1:7440", "t").is_ok());
        assert!(Access::new("http://[::1]:7440/", "t").is_ok());
        for (url, token) in [
            ("https://127.0.0.1:7440", "t"),
            ("http://127.0.0.1", "t"),
            ("http://127.0.0.1:7440/x", "t"),
            ("http://me@127.0.0.1:7440", "t"),
            ("nonsense", "t"),
            ("http://127.0.0.1:7440", ""),
            ("http://127.0.0.1:7440", "a\r\nb"),
        ] {
            assert!(Access::new(url, token).is_err(), "{url} {token:?}");
        }
    }

    #[test]
    fn a_missing_file_says_how_to_start() {
        let directory = tempfile::tempdir().unwrap();
        let error = Access::from_data_dir(directory.path()).unwrap_err();
        assert!(error.is_unreachable());
        assert!(
            error
                .to_string()
                .ends_with("Open the Flotilla app or run `flotilla serve`.")
        );
    }

    #[test]
    fn a_garbled_file_is_named_and_its_secret_is_not() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(
            directory.path().join(FILE),
            r#"{"url":"http://127.0.0.1:1","token":"s3cret""#,
        )
        .unwrap();
        let message = Access::from_data_dir(directory.path()).unwrap_err().to_string();
        assert!(message.contains(FILE) && message.contains("garbled"), "{message}");
        assert!(!message.contains("s3cret"));
    }

    #[test]
    fn a_file_that_outlived_its_control_is_not_believed() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(FILE);
        fs::write(&file, r#"{"url":"http://127.0.0.1:1","token":"t"}"#).unwrap();
        let refused = || Access::from_data_dir(directory.path()).unwrap_err();
        assert!(
            matches!(refused(), Error::Ended { .. }),
            "no control ever held it"
        );
        let lock = File::create(directory.path().join(LOCK)).unwrap();
        assert!(matches!(refused(), Error::Ended { .. }), "no process holds it");
        lock.lock().unwrap();
        assert!(Access::from_data_dir(directory.path()).is_ok());
        drop(lock);
        assert!(refused().is_unreachable());
    }

    #[test]
    fn a_token_of_the_environment_is_never_replaced_by_the_owners() {
        let directory = tempfile::tempdir().unwrap();
        let file = r#"{"url":"http://127.0.0.1:1","token":"owner"}"#;
        fs::write(directory.path().join(FILE), file).unwrap();
        let lock = File::create(directory.path().join(LOCK)).unwrap();
        lock.lock().unwrap();
        let chosen = |url: Option<&str>, token: Option<&str>| {
            Access::chosen(url.map(Into::into), token.map(Into::into), directory.path())
        };
        let token = |access: Result<Access, Error>| access.unwrap().token;
        assert_eq!(token(chosen(None, None)), "owner");
        assert_eq!(token(chosen(None, Some("ci"))), "ci");
        assert_eq!(token(chosen(Some("http://127.0.0.1:2"), Some("ci"))), "ci");
        assert!(chosen(Some("http://127.0.0.1:2"), None).is_err());
        assert!(chosen(None, Some("")).is_err());
    }

    #[test]
    fn the_token_is_not_in_debug_output() {
        let access = Access::new("http://127.0.0.1:1", "s3cret").unwrap();
        assert!(!format!("{access:?}").contains("s3cret"));
    }
}
