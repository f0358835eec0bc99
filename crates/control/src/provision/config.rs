//! `NAME.device.toml`: the config file as text.

use flotilla_protocol::enroll::ConfigFile;

/// The file, preceded by what a person should know about it.
pub(super) fn text(config: &ConfigFile) -> String {
    let name = &config.device_name;
    // Strings, numbers and lists of strings always have a TOML form.
    let body = toml::to_string(config).unwrap_or_default();
    format!(
        "# Flotilla config file for {name}. It can enroll one device until {expires}: treat it like a password.\n\
         # Keep it readable for its owner only: chmod 600 {name}.device.toml\n\
         {body}",
        expires = expiry(config),
    )
}

/// Until when the token enrolls. In UTC: the file is read on another computer, perhaps in another place.
pub(super) fn expiry(config: &ConfigFile) -> impl std::fmt::Display {
    config.token_expires.strftime("%Y-%m-%d %H:%M UTC")
}
