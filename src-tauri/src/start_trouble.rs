//! Why Flotilla can't start, as the start page shows it.

use flotilla_control::StartError;
use serde::Serialize;
use tauri::Url;

/// What a person can choose on the start page: a link that the shell acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StartChoice {
    /// Start again with the same options.
    Retry,
    /// Listen on a free port for this computer, this time only.
    FreeApiPort,
    /// Listen on a free port for devices, this time only.
    FreeFleetPort,
    Quit,
}

impl StartChoice {
    const ALL: [Self; 4] = [Self::Retry, Self::FreeApiPort, Self::FreeFleetPort, Self::Quit];

    fn label(self) -> &'static str {
        match self {
            Self::Retry => "Try again",
            Self::FreeApiPort | Self::FreeFleetPort => "Use a free port this time",
            Self::Quit => "Quit",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Retry => "/way/retry",
            Self::FreeApiPort => "/way/free-api-port",
            Self::FreeFleetPort => "/way/free-fleet-port",
            Self::Quit => "/way/quit",
        }
    }

    /// The choice that a link of the start page stands for.
    pub(crate) fn of(url: &Url) -> Option<Self> {
        let start_page = url.scheme() == "tauri" || url.host_str() == Some("tauri.localhost");
        Self::ALL
            .into_iter()
            .find(|choice| start_page && url.path() == choice.path())
    }
}

/// What the start page shows.
#[derive(Debug, Serialize)]
pub(crate) struct StartTrouble {
    title: &'static str,
    message: String,
    actions: Vec<ChoiceLink>,
}

#[derive(Debug, Serialize)]
struct ChoiceLink {
    label: &'static str,
    path: &'static str,
}

impl StartTrouble {
    pub(crate) fn of(error: &StartError) -> Self {
        let message = error.to_string();
        match error {
            StartError::Locked { .. } => {
                Self::new("Flotilla is already running", message, &[StartChoice::Retry])
            }
            StartError::ApiPortTaken { .. } => Self::new(
                "A port is taken",
                message,
                &[StartChoice::Retry, StartChoice::FreeApiPort],
            ),
            StartError::FleetPortTaken { .. } => {
                let more = "On a free port, devices that already know this computer do not find it until the usual port is free again.";
                Self::new(
                    "A port is taken",
                    format!("{message} {more}"),
                    &[StartChoice::Retry, StartChoice::FreeFleetPort],
                )
            }
            _ => Self::new("Flotilla can't start", message, &[StartChoice::Retry]),
        }
    }

    pub(crate) fn of_data_dir(error: &flotilla_client::Error) -> Self {
        Self::new("Flotilla can't start", error.to_string(), &[])
    }

    fn new(title: &'static str, message: String, choices: &[StartChoice]) -> Self {
        let choices = choices.iter().chain(&[StartChoice::Quit]);
        let actions = choices
            .map(|choice| ChoiceLink {
                label: choice.label(),
                path: choice.path(),
            })
            .collect();
        Self {
            title,
            message,
            actions,
        }
    }

    /// The start page's address, with this in its fragment.
    pub(crate) fn page(&self) -> String {
        let json = serde_json::to_string(self).unwrap_or_default();
        let encoded: String = json.bytes().map(encode).collect();
        format!("index.html#{encoded}")
    }
}

fn encode(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_offers_another_and_a_locked_directory_does_not() {
        let address = "127.0.0.1:7440".parse().unwrap();
        let taken = StartTrouble::of(&StartError::ApiPortTaken { address });
        let labels = |trouble: &StartTrouble| {
            trouble
                .actions
                .iter()
                .map(|action| action.label)
                .collect::<Vec<_>>()
        };
        assert_eq!(labels(&taken), ["Try again", "Use a free port this time", "Quit"]);
        let locked = StartTrouble::of(&StartError::Locked {
            dir: "/data".into(),
            holder: Some(7),
        });
        assert_eq!(labels(&locked), ["Try again", "Quit"]);
    }

    #[test]
    fn links_are_ways_on_the_start_page_only() {
        let choice = |url: &str| StartChoice::of(&url.parse().unwrap());
        assert_eq!(choice("tauri://localhost/way/retry"), Some(StartChoice::Retry));
        assert_eq!(choice("http://tauri.localhost/way/quit"), Some(StartChoice::Quit));
        assert_eq!(choice("http://127.0.0.1:7440/way/quit"), None);
        assert_eq!(choice("tauri://localhost/index.html"), None);
    }

    #[test]
    fn the_page_carries_any_message_in_its_fragment() {
        let trouble = StartTrouble::new("T", "a \"b\" <c> é".into(), &[]);
        let page = trouble.page();
        assert!(page.starts_with("index.html#%7B"));
        assert!(
            page["index.html#".len()..]
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'%')
        );
    }
}
