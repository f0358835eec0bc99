//! `flotilla address …`: the addresses at which devices reach this controller, and whether these lead to it.

use crate::{args::AddressCommand, failure::Failure, out, table::Table};
use flotilla_client::Client;
use flotilla_protocol::{
    Code,
    api::{Fleet, GetFleet, ReachableAt, TestAddresses, UpdateFleet},
    endpoint::Endpoint,
};
use serde::Serialize;

pub(crate) async fn run(client: &Client, command: AddressCommand) -> Result<(), Failure> {
    match command {
        AddressCommand::List { json } => list(client, json).await,
        AddressCommand::Add { address } => add(client, address).await,
        AddressCommand::Remove { address } => remove(client, address).await,
    }
}

/// An address, with the result of trying it from this computer.
#[derive(Serialize)]
struct Item {
    #[serde(flatten)]
    tested: ReachableAt,
    /// Whether a person added it.
    added: bool,
}

#[derive(Serialize)]
struct Items {
    items: Vec<Item>,
}

async fn list(client: &Client, json: bool) -> Result<(), Failure> {
    let fleet = client.send(&GetFleet).await?;
    let items = items(client.send(&TestAddresses).await?, &fleet);
    if json {
        return Ok(out::json(&Items { items })?);
    }
    out::print(&table(&items).render())?;
    if !fleet.reachable_from_outside {
        out::note(
            "None of them can be reached from outside this network. Add one with `flotilla address add`.",
        );
    }
    Ok(())
}

fn items(tested: Vec<ReachableAt>, fleet: &Fleet) -> Vec<Item> {
    let item = |tested: ReachableAt| Item {
        added: fleet.added_endpoints.contains(&tested.endpoint),
        tested,
    };
    tested.into_iter().map(item).collect()
}

fn table(items: &[Item]) -> Table<4> {
    let mut table = Table::new(["ADDRESS", "FROM", "LEADS HERE", "WHY NOT"]);
    for Item { tested, added } in items {
        table.push([
            tested.endpoint.to_string(),
            if *added { "added" } else { "this computer" }.to_owned(),
            match (tested.reachable, &tested.doubt) {
                (true, None) => "yes",
                (true, Some(_)) => "from here",
                (false, _) => "no",
            }
            .to_owned(),
            tested.reason.clone().or(tested.doubt.clone()).unwrap_or_default(),
        ]);
    }
    table
}

async fn add(client: &Client, address: Endpoint) -> Result<(), Failure> {
    let mut added = client.send(&GetFleet).await?.added_endpoints;
    let message = format!("Devices are told {address}.");
    if !added.contains(&address) {
        added.push(address);
        update(client, added).await?;
    }
    Ok(out::line(&message)?)
}

async fn remove(client: &Client, address: Endpoint) -> Result<(), Failure> {
    let mut added = client.send(&GetFleet).await?.added_endpoints;
    let Some(at) = added.iter().position(|known| *known == address) else {
        let problem = Code::NotFound.because(format!(
            "{address} was not added. `flotilla address list` shows those that were."
        ));
        return Err(Failure::Call(problem.into()));
    };
    added.remove(at);
    update(client, added).await?;
    Ok(out::line(&format!("Devices are no longer told {address}."))?)
}

async fn update(client: &Client, added: Vec<Endpoint>) -> Result<(), Failure> {
    let update = UpdateFleet {
        added_endpoints: Some(added),
        ..UpdateFleet::default()
    };
    client.send(&update).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_with_where_they_are_from_and_where_they_lead() {
        let tested = |endpoint: &str, reason: Option<&str>| ReachableAt {
            doubt: None,
            endpoint: endpoint.parse().unwrap(),
            reachable: reason.is_none(),
            reason: reason.map(str::to_owned),
        };
        let items = [
            Item {
                tested: tested("fleet.example.org:443", Some("Another program answers there.")),
                added: true,
            },
            Item {
                tested: tested("192.168.1.10", None),
                added: false,
            },
        ];
        insta::assert_snapshot!(table(&items).render(), @r"
        ADDRESS                 FROM            LEADS HERE   WHY NOT
        fleet.example.org:443   added           no           Another program answers there.
        192.168.1.10:7443       this computer   yes
        ");
    }
}
