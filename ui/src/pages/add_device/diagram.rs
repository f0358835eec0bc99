//! A small picture per network mode: what of the device hangs on the mesh.

use flotilla_protocol::device::NetworkMode;
use leptos::prelude::*;

/// The mesh is the line at the left; the device is the frame; filled boxes are what others can reach.
#[must_use]
pub(crate) fn diagram(mode: NetworkMode) -> AnyView {
    match mode {
        NetworkMode::Host => host().into_any(),
        NetworkMode::Bridge => bridge().into_any(),
        NetworkMode::Pause => pause().into_any(),
    }
}

fn host() -> impl IntoView {
    view! {
        <svg viewBox="0 0 132 88">
            <path class="mesh" d="M14 10v68"/>
            <circle class="mesh-dot" cx="14" cy="44" r="4"/>
            <rect class="device open" x="38" y="8" width="86" height="72" rx="6"/>
            <path class="mesh" d="M18 44h20"/>
            <rect class="reached" x="48" y="18" width="30" height="22" rx="3"/>
            <rect class="reached" x="84" y="18" width="30" height="22" rx="3"/>
            <rect class="reached" x="48" y="48" width="30" height="22" rx="3"/>
            <rect class="reached" x="84" y="48" width="30" height="22" rx="3"/>
        </svg>
    }
}

fn bridge() -> impl IntoView {
    view! {
        <svg viewBox="0 0 132 88">
            <path class="mesh" d="M14 10v68"/>
            <circle class="mesh-dot" cx="14" cy="44" r="4"/>
            <rect class="device" x="38" y="8" width="86" height="72" rx="6"/>
            <path class="cut" d="M18 44h10M25 39l8 10M33 39l-8 10"/>
            <rect class="hidden-box" x="48" y="18" width="30" height="22" rx="3"/>
            <rect class="hidden-box" x="84" y="18" width="30" height="22" rx="3"/>
            <rect class="hidden-box" x="48" y="48" width="30" height="22" rx="3"/>
            <rect class="hidden-box" x="84" y="48" width="30" height="22" rx="3"/>
        </svg>
    }
}

fn pause() -> impl IntoView {
    view! {
        <svg viewBox="0 0 132 88">
            <path class="mesh" d="M14 10v68"/>
            <circle class="mesh-dot" cx="14" cy="44" r="4"/>
            <rect class="device" x="38" y="8" width="86" height="72" rx="6"/>
            <rect class="pod" x="44" y="14" width="38" height="60" rx="5"/>
            <path class="mesh" d="M18 44h26"/>
            <rect class="reached" x="49" y="20" width="28" height="22" rx="3"/>
            <rect class="reached" x="49" y="46" width="28" height="22" rx="3"/>
            <rect class="hidden-box" x="90" y="20" width="26" height="22" rx="3"/>
            <rect class="hidden-box" x="90" y="46" width="26" height="22" rx="3"/>
        </svg>
    }
}
