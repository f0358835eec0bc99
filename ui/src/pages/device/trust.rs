//! The certificate of a device, and the actions that end or renew its trust.

use super::key_of;
use crate::{
    actions::{self, DeviceObject},
    clock::use_clock,
    components::age::AgeLabel,
    copy::device as copy,
    format,
};
use flotilla_protocol::{
    Timestamp,
    device::{CertificateFacts, Device, DeviceStatus},
};
use leptos::prelude::*;
use std::sync::Arc;

#[component]
pub(super) fn Trust(device: Signal<Arc<Device>>) -> impl IntoView {
    let clock = use_clock();
    let certificate = Memo::new(move |_| device.with(|device| device.certificate.clone()));
    let shown = move || match certificate.get() {
        Some(certificate) => facts(&certificate, clock.half_minute.get()).into_any(),
        None => view! { <p class="muted">{copy::NO_CERTIFICATE}</p> }.into_any(),
    };
    view! {
        <div class="trust">
            <section class="panel" aria-labelledby="certificate">
                <h2 id="certificate">{copy::CERTIFICATE}</h2>
                {shown}
                <p class="caption faint">{copy::CERTIFICATE_TEXT}</p>
            </section>
            <TrustActions device/>
        </div>
    }
}

fn facts(certificate: &CertificateFacts, now: Timestamp) -> impl IntoView + use<> {
    let left = format::span(certificate.expires.as_second() - now.as_second());
    view! {
        <dl class="fact-list">
            <div><dt>"Issued"</dt><dd><AgeLabel moment=certificate.issued/></dd></div>
            <div><dt>"Expires"</dt><dd>{format!("{} (in {left})", format::moment(certificate.expires))}</dd></div>
            <div><dt>"Fingerprint"</dt><dd class="mono">{grouped(&certificate.fingerprint)}</dd></div>
        </dl>
    }
}

/// A fingerprint in groups of four digits, which are easier to compare.
fn grouped(fingerprint: &str) -> String {
    let groups: Vec<_> = fingerprint
        .as_bytes()
        .chunks(4)
        .map(|group| String::from_utf8_lossy(group))
        .collect();
    groups.join(" ")
}

#[component]
fn TrustActions(device: Signal<Arc<Device>>) -> impl IntoView {
    let key = key_of(device);
    let is_trusted = Memo::new(move |_| {
        device.with(|device| !matches!(device.status, DeviceStatus::Pending | DeviceStatus::Revoked))
    });
    let action = move |text: &'static str, slug: &'static str| view! { <li><p>{text}</p>{actions::button::<DeviceObject>(slug, key)}</li> };
    view! {
        <ul class="choices panel">
            {move || is_trusted.get().then(|| action(copy::ROTATE_TEXT, "rotate"))}
            {action(copy::REENROLL_TEXT, "reenroll")}
            {action(copy::REVOKE_TEXT, "revoke")}
            {move || (!is_trusted.get()).then(|| action(copy::REMOVE_TEXT, "remove"))}
        </ul>
    }
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn a_fingerprint_is_read_in_groups() {
        assert_eq!(grouped("0123456789ab"), "0123 4567 89ab");
    }
}
