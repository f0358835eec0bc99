//! A diagram per network mode: what of the device the mesh reaches.

use flotilla_protocol::device::NetworkMode;
use leptos::prelude::*;

/// The mesh, the line at the left of every diagram.
const MESH: &str = r#"<path class="mesh" d="M14 10v68"/><circle class="mesh-dot" cx="14" cy="44" r="4"/>"#;

/// The diagram of a mode. The device is the frame, and filled boxes are containers that other devices can reach.
#[must_use]
pub(crate) fn diagram(mode: NetworkMode) -> AnyView {
    let device = match mode {
        NetworkMode::Host => HOST,
        NetworkMode::Bridge | NetworkMode::Unknown => BRIDGE,
        NetworkMode::Pause => PAUSE,
    };
    view! { <svg viewBox="0 0 132 88" inner_html=format!("{MESH}{device}")></svg> }.into_any()
}

const HOST: &str = r#"
    <rect class="device open" x="38" y="8" width="86" height="72" rx="6"/>
    <path class="mesh" d="M18 44h20"/>
    <g class="reached">
        <rect x="48" y="18" width="30" height="22" rx="3"/><rect x="84" y="18" width="30" height="22" rx="3"/>
        <rect x="48" y="48" width="30" height="22" rx="3"/><rect x="84" y="48" width="30" height="22" rx="3"/>
    </g>"#;

const BRIDGE: &str = r#"
    <rect class="device" x="38" y="8" width="86" height="72" rx="6"/>
    <path class="cut" d="M18 44h10M25 39l8 10M33 39l-8 10"/>
    <g class="hidden-box">
        <rect x="48" y="18" width="30" height="22" rx="3"/><rect x="84" y="18" width="30" height="22" rx="3"/>
        <rect x="48" y="48" width="30" height="22" rx="3"/><rect x="84" y="48" width="30" height="22" rx="3"/>
    </g>"#;

const PAUSE: &str = r#"
    <rect class="device" x="38" y="8" width="86" height="72" rx="6"/>
    <rect class="pod" x="44" y="14" width="38" height="60" rx="5"/>
    <path class="mesh" d="M18 44h26"/>
    <g class="reached">
        <rect x="49" y="20" width="28" height="22" rx="3"/><rect x="49" y="46" width="28" height="22" rx="3"/>
    </g>
    <g class="hidden-box">
        <rect x="90" y="20" width="26" height="22" rx="3"/><rect x="90" y="46" width="26" height="22" rx="3"/>
    </g>"#;
