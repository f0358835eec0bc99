//! What is known of the container, as facts.

use super::ContainerRow;
use crate::{
    components::facts::{Fact, Facts, Value},
    copy::container as copy,
    pages::containers::facts::details,
};
use flotilla_protocol::{api::Row, inventory::Container};
use leptos::prelude::*;

#[component]
pub(super) fn Inspect(row: ContainerRow) -> impl IntoView {
    let facts = Signal::derive(move || row.with(|row| facts(row)));
    view! { <section class="panel section inspect"><Facts facts/></section> }
}

/// The facts of the panel, and those for which it has no room.
fn facts(row: &Row<Container>) -> Vec<Fact> {
    let container = &row.item;
    let exit = container.exit_code.map(|code| code.to_string());
    let killed = container.oom_killed.then_some(copy::KILLED);
    let more = [
        Fact::new(copy::EXIT_CODE, exit),
        Fact::new(copy::OUT_OF_MEMORY, killed),
        Fact::new(copy::NETWORK_MODE, Value::mono(&container.network_mode)),
        Fact::new(copy::IMAGE_ID, Value::mono(&container.image_id)),
        Fact::new(crate::copy::containers::ID, Value::mono(&container.id)),
    ];
    let mut facts = details(row).facts;
    // The panel shortens the id.
    facts.retain(|fact| fact.name != crate::copy::containers::ID);
    facts.extend(more);
    facts
}
