//! The relay preference of a device, changed while its agent runs: each choice takes effect at once, and the path's
//! reason says so.

use std::net::TcpStream;

use anyhow::{Result, ensure};
use flotilla_protocol::api::{DeviceChange, UpdateDevice};
use flotilla_protocol::device::RelayPreference::{self, Always, Auto, Never};
use flotilla_protocol::path::{PathKind, PathReason};
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::lab::{Lab, Machine, Nat, on, ping, transfer};
use flotilla_tests::mesh_fleet::MeshFleet;
use flotilla_tests::modes::path;

async fn choose(fleet: &MeshFleet, device: &Machine, relay: RelayPreference) -> Result<()> {
    let update = UpdateDevice {
        device: device.name().to_owned(),
        change: DeviceChange {
            relay: Some(relay),
            ..DeviceChange::default()
        },
    };
    fleet.control.send(&update).await.map(drop)
}

/// Waits until both ends and control give the path between these machines the same reason, and `is_right` accepts it.
async fn is_shown(
    fleet: &MeshFleet,
    ends: [&Machine; 2],
    is_right: impl Fn(PathReason) -> bool,
) -> Result<()> {
    let [a, b] = ends;
    for (from, to) in [(a, b), (b, a)] {
        let what = format!("the path from {} to {}", from.name(), to.name());
        eventually(&what, seconds(15.0), async || {
            let own = fleet.path(from, to)?;
            let shown = path(&fleet.control, from.name(), to.name()).await?;
            ensure!(is_right(own.why), "{own:?}");
            ensure!(shown.why_code == own.why, "{shown:?} and {own:?}");
            ensure!(
                (shown.kind == PathKind::Relayed) == shown.relay.is_some(),
                "{shown:?}"
            );
            Ok(())
        })
        .await?;
    }
    Ok(())
}

#[test]
fn a_preference_changed_on_a_running_device_is_in_force_at_once() -> Result<()> {
    on(
        Lab::on_internet(&[Nat::None, Nat::None, Nat::UdpBlocked])?,
        async |lab| {
            let fleet = MeshFleet::start(lab).await?;
            let [a, b, blocked] = [1, 2, 3].map(|number| lab.machine(number));
            let (mut stream, _) = fleet.first_byte(a, b, seconds(5.0))?;
            always_is_relayed_although_there_is_a_direct_path(&fleet, [a, b], &mut stream).await?;
            never_without_udp_is_unreachable(&fleet, [a, blocked]).await
        },
    )
}

async fn always_is_relayed_although_there_is_a_direct_path(
    fleet: &MeshFleet,
    ends: [&Machine; 2],
    stream: &mut TcpStream,
) -> Result<()> {
    is_shown(fleet, ends, |why| why.kind() == PathKind::Direct).await?;
    choose(fleet, ends[1], Always).await?;
    is_shown(fleet, ends, |why| why == PathReason::RelayAlways).await?;
    transfer(stream, 1 << 20)?;
    let (mut another, _) = fleet.first_byte(ends[1], ends[0], seconds(5.0))?;
    transfer(&mut another, 1 << 20)?;
    choose(fleet, ends[1], Auto).await?;
    is_shown(fleet, ends, |why| why.kind() == PathKind::Direct).await?;
    transfer(stream, 1 << 20)
}

async fn never_without_udp_is_unreachable(fleet: &MeshFleet, ends: [&Machine; 2]) -> Result<()> {
    let [a, blocked] = ends;
    let (mut stream, _) = fleet.first_byte(a, blocked, seconds(5.0))?;
    is_shown(fleet, ends, |why| why == PathReason::RelayUdpBlocked).await?;
    choose(fleet, blocked, Never).await?;
    is_shown(fleet, ends, |why| why == PathReason::NoneNever).await?;
    ensure!(
        fleet.first_byte(a, blocked, seconds(2.0)).is_err(),
        "it was reached"
    );
    choose(fleet, blocked, Auto).await?;
    is_shown(fleet, ends, |why| why == PathReason::RelayUdpBlocked).await?;
    stream.set_read_timeout(Some(seconds(20.0)))?;
    ping(&mut stream)?;
    transfer(&mut stream, 1 << 20)
}
