//! Clocks that are off by hours or set back: the mesh works all the same, and Needs attention shows the wrong clock.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use anyhow::{Context, Result, ensure};
use flotilla_protocol::Timestamp;
use flotilla_protocol::api::{StartingPolicy, UpdateFleet};
use flotilla_protocol::device::{Attention, Device, DeviceStatus, RelayPreference};
use flotilla_protocol::path::PathKind;
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::flotilla::{Agent, AgentSetup, Control, ControlSetup};
use flotilla_tests::lab::{Lab, echo, on, ping};
use flotilla_tests::mesh_fleet::{MeshFleet, OPEN};

#[test]
fn devices_whose_clocks_are_hours_behind_are_on_the_mesh_and_people_are_told() -> Result<()> {
    are_on_the_mesh_with_clock_off_by(-5)
}

#[test]
fn devices_whose_clocks_are_hours_ahead_are_on_the_mesh_and_people_are_told() -> Result<()> {
    are_on_the_mesh_with_clock_off_by(5)
}

/// Changes control's clock, since agents are static programs, which libfaketime cannot change. Only the difference of
/// the two clocks matters.
fn are_on_the_mesh_with_clock_off_by(hours: i64) -> Result<()> {
    on(Lab::without_engines(2)?, async |lab| {
        let setup = ControlSetup::new(lab)?.with_clock(&format!("{:+}h", -hours))?;
        let fleet = MeshFleet::start_with(lab, setup, RelayPreference::Auto).await?;
        let [a, b] = [lab.machine(1), lab.machine(2)];
        fleet.first_byte(a, b, seconds(5.0))?;
        fleet.eventually_by(PathKind::Direct, a, b, seconds(10.0)).await?;
        eventually("it is in Needs attention", seconds(5.0), async || {
            let attention = fleet.control.device(a.name()).await?.attention;
            let skew = attention.iter().find_map(|attention| match attention {
                Attention::ClockSkew { seconds } => Some(*seconds),
                _ => None,
            });
            let skew = skew.with_context(|| format!("{attention:?}"))?;
            ensure!((skew - hours * 3600).abs() < 5, "{skew} s");
            Ok(())
        })
        .await?;
        let shown = fleet.control.cli(&["device", "show", a.name()])?;
        let direction = if hours < 0 { "behind" } else { "ahead" };
        ensure!(
            shown.contains(&format!("h {direction}. Set the clock on the device.")),
            "{shown}"
        );
        Ok(())
    })
}

#[test]
fn a_computer_whose_clock_is_set_back_while_it_is_off_reaches_others_and_is_reached() -> Result<()> {
    on(Lab::without_engines(1)?, async |lab| {
        // The agent inside control's own process is the one whose clock libfaketime can change.
        let mut setup = ControlSetup::new(lab)?.with_clock("+5h")?;
        setup.arguments.push("--local-agent".to_owned());
        let mut control = setup.clone().start()?;
        let open = UpdateFleet {
            starting_policy: Some(StartingPolicy::OpenLab),
            ..UpdateFleet::default()
        };
        control.send(&open).await?;
        let other = lab.machine(1);
        let added = control.add(other.name()).await?;
        let _agent = Agent::start(other, &added)?;
        other.echo(OPEN)?;
        echo((Ipv4Addr::UNSPECIFIED, OPEN))?;
        let own = eventually("this computer is online", seconds(15.0), async || {
            own_device(&control).await
        })
        .await?;

        let both_answer = async || {
            ping(&mut other.connect((own.mesh_ip, OPEN), seconds(1.0))?)?;
            ping(&mut connect((added.device.mesh_ip, OPEN).into())?)
        };
        eventually("both answer each other", seconds(20.0), both_answer).await?;
        control.stop()?;
        setup.environment.clear();
        control = setup.start()?;
        eventually("both answer each other again", seconds(15.0), both_answer).await?;
        control.eventually_online(other.name(), seconds(35.0)).await?;
        let again = eventually("this computer is online again", seconds(35.0), async || {
            own_device(&control).await
        })
        .await?;
        ensure!(again.id == own.id && again.mesh_ip == own.mesh_ip);
        Ok(())
    })
}

#[test]
fn a_control_whose_clock_is_wrong_for_a_minute_locks_no_device_out() -> Result<()> {
    on(Lab::without_engines(1)?, async |lab| {
        let clock = lab.directory("clock")?.join("offset");
        fs::write(&clock, "+0")?;
        let setup = ControlSetup::new(lab)?.with_clock_file(&clock)?;
        let mut fleet = MeshFleet::start_with(lab, setup, RelayPreference::Auto).await?;
        let machine = lab.machine(1);
        let state = fleet.member(machine).setup.state_dir.join("agent.json");
        let heard = || -> Result<Timestamp> {
            let state: serde_json::Value = serde_json::from_str(&fs::read_to_string(&state)?)?;
            Ok(serde_json::from_value(state["heard"].clone())?)
        };
        let before = heard()?;
        let days_later = || heard().map(|heard| heard.duration_since(before).as_hours() / 24);

        fs::write(&clock, "+100d")?;
        eventually("the device hears of the wrong time", seconds(30.0), async || {
            let days = days_later()?;
            ensure!(days > 90, "{days} days later");
            Ok(())
        })
        .await?;
        fs::write(&clock, "+0")?;
        // Both are restarted, so that only what they have stored counts.
        fleet.control.stop()?;
        fleet.control.start_again()?;
        let member = fleet.member_mut(machine);
        member.agent.kill()?;
        member.agent = member.setup.start(machine)?;
        fleet
            .control
            .eventually_online(machine.name(), seconds(35.0))
            .await?;
        eventually("the device hears of the right time", seconds(10.0), async || {
            let days = days_later()?;
            ensure!(days == 0, "{days} days later");
            let attention = fleet.control.device(machine.name()).await?.attention;
            let is_wrong = |attention: &Attention| matches!(attention, Attention::ClockSkew { .. });
            ensure!(!attention.iter().any(is_wrong), "{attention:?}");
            Ok(())
        })
        .await
    })
}

#[test]
fn a_device_whose_clock_is_years_off_is_linked_and_normal_again_once_it_is_set() -> Result<()> {
    const YEAR: i64 = 365 * 86_400;
    on(Lab::without_engines(1)?, async |lab| {
        let control = Control::start(lab)?;
        let machine = lab.machine(1);
        let added = control.add(machine.name()).await?;
        let clock = lab.directory("clock")?.join("offset");
        let mut setup = AgentSetup::new(machine, &added)?;
        let variable = ("FLOTILLA_TEST_CLOCK".to_owned(), clock.display().to_string());
        setup.environment.push(variable);
        let shows = async |wrong: i64, within: f64| {
            eventually(&format!("{wrong} s are shown"), seconds(within), async || {
                let device = control.device(machine.name()).await?;
                ensure!(device.status == DeviceStatus::Online, "{}", device.status);
                let skew = device.attention.iter().find_map(|attention| match attention {
                    Attention::ClockSkew { seconds } => Some(*seconds),
                    _ => None,
                });
                ensure!((skew.unwrap_or(0) - wrong).abs() < 10, "{skew:?}");
                Ok(())
            })
            .await
        };
        fs::write(&clock, (5 * YEAR).to_string())?;
        let mut agent = setup.start(machine)?;
        control.eventually_online(machine.name(), seconds(10.0)).await?;
        shows(5 * YEAR, 5.0).await?;
        // It is set while the link is up.
        fs::write(&clock, "0")?;
        shows(0, 45.0).await?;
        for wrong in [-50 * YEAR, 5 * YEAR] {
            agent.stop()?;
            fs::write(&clock, wrong.to_string())?;
            agent = setup.start(machine)?;
            shows(wrong, 45.0).await?;
        }
        agent.program().ensure_running()
    })
}

async fn own_device(control: &Control) -> Result<Device> {
    let devices = control.devices().await?;
    let own = devices.into_iter().find(|device| device.this_computer);
    let own = own.context("it is not in the fleet")?;
    control.eventually_online(own.name.as_str(), seconds(0.0)).await
}

/// A connection from the control computer, on which this test runs.
fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, seconds(1.0))?;
    stream.set_read_timeout(Some(seconds(1.0)))?;
    Ok(stream)
}
