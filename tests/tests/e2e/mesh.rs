//! Connections over the mesh survive roaming, sleep, a control that is down and a relay that dies.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use flotilla_protocol::api::{ListRelays, PromoteRelay, RelayChange, RelayFacts, TestPath};
use flotilla_protocol::device::RelayPreference;
use flotilla_protocol::path::PathKind;
use flotilla_tests::eventually::{always, eventually, seconds};
use flotilla_tests::flotilla::ControlSetup;
use flotilla_tests::lab::{Lab, Nat, on, passes_again, ping, transfer};
use flotilla_tests::mesh_fleet::{CLOSED, MeshFleet};
use futures_util::future::join_all;
use rustix::process::Signal;
use serde_json::Value;

/// How long control is down: longer than anything that is only cached stays valid. `cargo xtask soak away` sets it to
/// ten minutes.
fn away() -> Duration {
    let variable = std::env::var("FLOTILLA_AWAY_SECONDS").ok();
    seconds(variable.and_then(|text| text.parse().ok()).unwrap_or(60.0))
}

#[test]
fn a_device_that_roams_is_reached_again_in_three_seconds_on_the_same_connection() -> Result<()> {
    on(
        Lab::on_internet(&[Nat::Cone, Nat::PortRestricted])?,
        async |lab| {
            let fleet = MeshFleet::start(lab).await?;
            let (mut stream, _) = fleet.first_byte(lab.machine(1), lab.machine(2), seconds(5.0))?;
            fleet
                .eventually_by(PathKind::Direct, lab.machine(1), lab.machine(2), seconds(10.0))
                .await?;
            for nat in [
                Nat::PortRestricted,
                Nat::Symmetric,
                Nat::None,
                Nat::UdpBlocked,
                Nat::Cone,
            ] {
                lab.roam(1, nat)?;
                let moved = Instant::now();
                eventually(
                    &format!("a first byte after the move to {nat}"),
                    seconds(10.0),
                    async || {
                        fleet
                            .first_byte(lab.machine(1), lab.machine(2), seconds(0.25))
                            .map(drop)
                    },
                )
                .await?;
                let took = moved.elapsed();
                println!("after the move to {nat}: {took:.1?}");
                ensure!(took < seconds(3.0), "{took:?} after the move to {nat}");
                passes_again(&mut stream, seconds(10.0))?;
            }
            Ok(())
        },
    )
}

#[test]
fn a_device_that_slept_is_reached_again_in_five_seconds_on_the_same_connection() -> Result<()> {
    on(
        Lab::on_internet(&[Nat::PortRestricted, Nat::PortRestricted])?,
        async |lab| {
            let mut fleet = MeshFleet::start(lab).await?;
            let [sleeper, other] = [lab.machine(1), lab.machine(2)];
            let (mut stream, _) = fleet.first_byte(other, sleeper, seconds(5.0))?;
            fleet.member_mut(sleeper).agent.program().signal(Signal::STOP)?;
            always(seconds(20.0), async || Ok(())).await?;
            fleet.member_mut(sleeper).agent.program().signal(Signal::CONT)?;
            let woke = Instant::now();
            eventually("a first byte", seconds(10.0), async || {
                fleet.first_byte(other, sleeper, seconds(0.5)).map(drop)
            })
            .await?;
            println!("after waking: {:.1?}", woke.elapsed());
            ensure!(woke.elapsed() < seconds(5.0), "{:?} after waking", woke.elapsed());
            passes_again(&mut stream, seconds(20.0)).map(drop)
        },
    )
}

#[test]
fn traffic_and_policy_go_on_while_control_is_away_and_agents_restart() -> Result<()> {
    on(
        Lab::on_internet(&[Nat::Cone, Nat::PortRestricted])?,
        async |lab| {
            let mut fleet = MeshFleet::start(lab).await?;
            let [a, b] = [lab.machine(1), lab.machine(2)];
            let (mut stream, _) = fleet.first_byte(a, b, seconds(5.0))?;
            fleet.eventually_by(PathKind::Direct, a, b, seconds(10.0)).await?;
            fleet.control.kill()?;
            always(away() / 2, async || ping(&mut stream)).await?;
            fleet.is_silent(a, b, CLOSED)?;

            for machine in [a, b] {
                let member = fleet.member_mut(machine);
                member.agent.kill()?;
                member.agent = member.setup.start(machine)?;
            }
            for machine in [a, b] {
                fleet.is_up(machine, 1).await?;
            }
            let restarted = Instant::now();
            eventually("a first byte after both restarted", seconds(20.0), async || {
                fleet.first_byte(a, b, seconds(1.0)).map(drop)
            })
            .await?;
            println!("after both restarted: {:.1?}", restarted.elapsed());
            let (mut stream, _) = fleet.first_byte(a, b, seconds(5.0))?;
            always(away() / 2, async || ping(&mut stream)).await?;
            fleet.is_silent(a, b, CLOSED)?;

            fleet.control.start_again()?;
            for machine in [a, b] {
                fleet
                    .control
                    .eventually_online(machine.name(), seconds(35.0))
                    .await?;
            }
            ping(&mut stream)
        },
    )
}

#[test]
fn tests_of_paths_without_an_answer_hold_no_revocation_up() -> Result<()> {
    on(Lab::without_engines(3)?, async |lab| {
        let mut fleet = MeshFleet::start(lab).await?;
        let [a, revoked, silent] = [lab.machine(1), lab.machine(2), lab.machine(3)];
        fleet.member_mut(silent).agent.kill()?;
        let test = TestPath {
            from: a.name().to_owned(),
            to: silent.name().to_owned(),
        };
        let control = &fleet.control;
        // Each takes two seconds. One after the other they would delay the revocation by fourteen.
        let tests = join_all((0..7).map(|_| control.send(&test)));
        let revocation = async {
            control.revoke(revoked.name()).await?;
            let begun = Instant::now();
            eventually("the peer is gone", seconds(10.0), async || {
                let known = fleet.path(a, revoked);
                ensure!(known.is_err(), "{known:?}");
                Ok(())
            })
            .await?;
            Ok::<_, anyhow::Error>(begun.elapsed())
        };
        let (tested, took) = tokio::join!(tests, revocation);
        for tried in tested {
            let tried = tried?;
            ensure!(tried.iter().all(|tried| tried.rtt_ms.is_none()), "{tried:?}");
        }
        let took = took?;
        println!("the peer is gone after {took:.1?}");
        ensure!(took < seconds(4.0), "{took:?}");
        Ok(())
    })
}

#[test]
fn a_relay_that_dies_is_replaced_by_another_and_the_connection_lives() -> Result<()> {
    on(
        Lab::on_internet(&[Nat::Symmetric, Nat::Symmetric, Nat::None])?,
        async |lab| {
            let mut fleet = MeshFleet::start(lab).await?;
            let [a, b, relay] = [1, 2, 3].map(|number| lab.machine(number));
            let promote = PromoteRelay {
                device: relay.name().to_owned(),
                change: RelayChange {
                    relay: true,
                    ..RelayChange::default()
                },
            };
            fleet.control.send(&promote).await?;
            eventually("there is a second relay", seconds(15.0), async || {
                let relays = fleet.control.send(&ListRelays).await?.items;
                let is_up = |facts: &RelayFacts| facts.up && facts.device.is_some();
                ensure!(relays.iter().any(is_up), "{relays:?}");
                Ok(())
            })
            .await?;
            for machine in [a, b] {
                eventually("both relays are in its map", seconds(5.0), async || {
                    let map = fleet.member(machine).setup.state_dir.join("map.json");
                    let map: Value = serde_json::from_slice(&fs::read(map)?)?;
                    let relays = &map["map"]["relays"];
                    ensure!(
                        relays.as_array().is_some_and(|relays| relays.len() == 2),
                        "{relays}"
                    );
                    Ok(())
                })
                .await?;
            }
            let (mut stream, _) = fleet.first_byte(a, b, seconds(5.0))?;
            let first = fleet.path(a, b)?.relay.context("it is not relayed")?;
            if first.0 == fleet.member(relay).added.device.id.0 {
                fleet.member_mut(relay).agent.kill()?;
            } else {
                fleet.control.kill()?;
            }
            let took = passes_again(&mut stream, seconds(30.0))
                .with_context(|| format!("{:?}\n{:?}", fleet.mesh(a), fleet.mesh(b)))?;
            println!("by another relay after {took:.1?}");
            let second = fleet.path(a, b)?.relay;
            ensure!(
                second.is_some_and(|second| second != first),
                "by {second:?} after {first:?}"
            );
            fleet.first_byte(a, b, seconds(5.0)).map(drop)
        },
    )
}

#[test]
fn a_device_that_is_always_relayed_is_never_reached_directly() -> Result<()> {
    on(Lab::on_internet(&[Nat::None, Nat::None])?, async |lab| {
        let fleet = MeshFleet::start_with(lab, ControlSetup::new(lab)?, RelayPreference::Always).await?;
        let [a, b] = [lab.machine(1), lab.machine(2)];
        let (mut stream, _) = fleet.first_byte(a, b, seconds(5.0))?;
        always(seconds(5.0), async || {
            ping(&mut stream)?;
            let path = fleet.path(a, b)?;
            ensure!(
                path.why.as_str() == "relay.always" && path.remote.is_none(),
                "{path:?}"
            );
            Ok(())
        })
        .await?;
        transfer(&mut stream, 1 << 20)
    })
}
