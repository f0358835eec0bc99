//! Two devices, each behind a router of some kind: whether the path between them becomes direct, and how soon.
//!
//! The first byte always arrives at once, by the relay. A path that can be direct becomes direct while it is used. A
//! path stays relayed where one router passes no UDP, and where the mappings of one are unpredictable and the other is
//! port-restricted or symmetric as well.

use anyhow::{Result, ensure};
use flotilla_protocol::path::PathKind;
use flotilla_protocol::path::PathKind::{Direct, Relayed};
use flotilla_tests::eventually::{always, seconds};
use flotilla_tests::lab::Nat::{Cone, None as Public, PortRestricted, Symmetric, UdpBlocked};
use flotilla_tests::lab::{Lab, Nat, on, ping};
use flotilla_tests::mesh_fleet::MeshFleet;
use serde_json::json;

/// Tries one pair of routers; returns its figures as JSON.
fn cell(from: Nat, to: Nat, kind: PathKind) -> Result<String> {
    let mut figures = String::new();
    on(Lab::on_internet(&[from, to])?, async |lab| {
        let fleet = MeshFleet::start(lab).await?;
        let [from_machine, to_machine] = [lab.machine(1), lab.machine(2)];
        let (mut stream, first_byte) = fleet.first_byte(from_machine, to_machine, seconds(5.0))?;
        let final_path = fleet
            .eventually_by(kind, from_machine, to_machine, seconds(10.0))
            .await?;
        figures = json!({
            "cell": format!("{from} to {to}"),
            "path": kind,
            "first_byte_ms": first_byte.as_millis(),
            "settled_ms": (first_byte + final_path).as_millis(),
        })
        .to_string();
        fleet
            .eventually_by(kind, to_machine, from_machine, seconds(5.0))
            .await?;
        always(seconds(3.0), async || {
            ping(&mut stream)?;
            let path = fleet.path(from_machine, to_machine)?;
            ensure!(path.why.kind() == kind, "{path:?}");
            Ok(())
        })
        .await?;
        fleet.first_byte(from_machine, to_machine, seconds(2.0)).map(drop)
    })?;
    Ok(figures)
}

macro_rules! cells {
    ($($name:ident: $from:ident, $to:ident, $kind:ident;)*) => {
        $(#[test] fn $name() -> Result<()> {
            println!("{}", cell($from, $to, $kind)?);
            Ok(())
        })*
    };
}

cells! {
    public_to_public: Public, Public, Direct;
    public_to_cone: Public, Cone, Direct;
    public_to_port_restricted: Public, PortRestricted, Direct;
    public_to_symmetric: Public, Symmetric, Direct;
    public_to_udp_blocked: Public, UdpBlocked, Relayed;
    cone_to_public: Cone, Public, Direct;
    cone_to_cone: Cone, Cone, Direct;
    cone_to_port_restricted: Cone, PortRestricted, Direct;
    cone_to_symmetric: Cone, Symmetric, Direct;
    cone_to_udp_blocked: Cone, UdpBlocked, Relayed;
    port_restricted_to_public: PortRestricted, Public, Direct;
    port_restricted_to_cone: PortRestricted, Cone, Direct;
    port_restricted_to_port_restricted: PortRestricted, PortRestricted, Direct;
    port_restricted_to_symmetric: PortRestricted, Symmetric, Relayed;
    port_restricted_to_udp_blocked: PortRestricted, UdpBlocked, Relayed;
    symmetric_to_public: Symmetric, Public, Direct;
    symmetric_to_cone: Symmetric, Cone, Direct;
    symmetric_to_port_restricted: Symmetric, PortRestricted, Relayed;
    symmetric_to_symmetric: Symmetric, Symmetric, Relayed;
    symmetric_to_udp_blocked: Symmetric, UdpBlocked, Relayed;
    udp_blocked_to_public: UdpBlocked, Public, Relayed;
    udp_blocked_to_cone: UdpBlocked, Cone, Relayed;
    udp_blocked_to_port_restricted: UdpBlocked, PortRestricted, Relayed;
    udp_blocked_to_symmetric: UdpBlocked, Symmetric, Relayed;
    udp_blocked_to_udp_blocked: UdpBlocked, UdpBlocked, Relayed;
}
