//! The SSH tunnel that carries the link of a device that cannot dial the controller, and the button that ends it.

use super::key_of;
use crate::{
    actions::{self, DeviceObject},
    api::send,
    components::{badge::Tone, error_state::Notice},
    copy::link as copy,
    store::use_store,
};
use flotilla_protocol::{api::GetPush, device::Device};
use leptos::{prelude::*, task::spawn_local};
use std::sync::Arc;

#[component]
pub(super) fn Tunnel(device: Signal<Arc<Device>>) -> impl IntoView {
    let store = use_store();
    let id = device.with_untracked(|device| device.id);
    store.follow_pushes();
    // A device without an installation over SSH has no tunnel, so a failure of this call is ignored.
    spawn_local(async move {
        if let Ok(push) = send(&GetPush {
            device: id.to_string(),
        })
        .await
        {
            store.take_push(push);
        }
    });
    let host = Memo::new(move |_| {
        store.pushes.with(|known| {
            let push = known.get(&id).filter(|push| push.tunneled)?;
            Some(push.host.clone())
        })
    });
    let carries =
        Memo::new(move |_| host.with(Option::is_some) || device.with(|device| device.link.tunneled));
    move || {
        let name = device.with_untracked(|device| device.name.to_string());
        carries.get().then(|| {
            view! {
                <Notice tone=Tone::Info text=copy::tunneled(&name, host.get().as_deref())>
                    {actions::button::<DeviceObject>("end-tunnel", key_of(device))}
                </Notice>
            }
        })
    }
}
