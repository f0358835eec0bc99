//! Two devices with a better path than through their routers' IPv4: they use it, and the path's reason says so.

use anyhow::{Context, Result, ensure};
use flotilla_protocol::path::PathKind::Direct;
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::lab::Nat::{PortRestricted, Symmetric};
use flotilla_tests::lab::{Lab, on, ping};
use flotilla_tests::mesh_fleet::MeshFleet;
use serde_json::Value;

/// Waits until both devices reach each other directly, and the list of paths gives this reason in both directions.
async fn both_are_direct_by(lab: &Lab, why_code: &str) -> Result<()> {
    let fleet = MeshFleet::start(lab).await?;
    let [one, two] = [lab.machine(1), lab.machine(2)];
    let (mut stream, _) = fleet.first_byte(one, two, seconds(5.0))?;
    fleet.eventually_by(Direct, one, two, seconds(10.0)).await?;
    ping(&mut stream)?;
    for (from, to) in [("h1", "h2"), ("h2", "h1")] {
        eventually("the path's reason", seconds(15.0), async || {
            let listed: Value = serde_json::from_str(&fleet.control.cli(&["paths", "--json"])?)?;
            let mut paths = listed["items"].as_array().into_iter().flatten();
            let path = paths.find(|path| path["from"] == from && path["to"] == to);
            let path = path.with_context(|| listed.to_string())?;
            ensure!(path["kind"] == "direct" && path["why_code"] == why_code, "{path}");
            Ok(())
        })
        .await?;
    }
    Ok(())
}

#[test]
fn two_devices_of_one_home_stay_in_it() -> Result<()> {
    on(Lab::in_one_home(Symmetric, 2)?, async |lab| {
        both_are_direct_by(lab, "direct.lan").await
    })
}

#[test]
fn two_networks_with_ipv6_use_it() -> Result<()> {
    let lab = Lab::on_internet(&[PortRestricted, PortRestricted])?;
    lab.route_v6()?;
    on(lab, async |lab| both_are_direct_by(lab, "direct.ipv6").await)
}
