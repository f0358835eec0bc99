//! What the mesh lets through and what it drops, and devices on which it cannot start.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use flotilla_protocol::device::{Attention, DeviceStatus};
use flotilla_protocol::mesh::MeshTrouble;
use flotilla_protocol::path::PathKind;
use flotilla_tests::eventually::{eventually, eventually_blocking, seconds};
use flotilla_tests::flotilla::{AgentSetup, ControlSetup};
use flotilla_tests::lab::{Lab, Machine, Nat, on, passes_again, transfer};
use flotilla_tests::mesh_fleet::{CLOSED, MeshFleet, OPEN, allowing, set_policy};
use flotilla_tests::program::{Program, run};
use serde_json::json;

#[test]
fn a_rule_and_its_end_are_in_force_in_two_seconds() -> Result<()> {
    on(Lab::on_internet(&[Nat::Cone, Nat::None])?, async |lab| {
        let meshed = MeshFleet::start(lab).await?;
        let [a, b] = [lab.machine(1), lab.machine(2)];
        let (mut stream, _) = meshed.first_byte(a, b, seconds(5.0))?;
        meshed.is_silent(a, b, CLOSED)?;

        set_policy(&meshed.control, &allowing(CLOSED)).await?;
        let changed = Instant::now();
        eventually("the new rule is in force", seconds(2.0), async || {
            meshed.connect(a, b, CLOSED, seconds(0.3)).map(drop)
        })
        .await?;
        println!("a rule is in force after {:.1?}", changed.elapsed());
        meshed.is_silent(a, b, OPEN)?;
        ensure!(
            passes_again(&mut stream, seconds(1.0)).is_err(),
            "a flow outlives its rule"
        );
        Ok(())
    })
}

#[test]
fn a_revoked_device_is_off_the_mesh_in_two_seconds() -> Result<()> {
    on(Lab::on_internet(&[Nat::Cone, Nat::None])?, async |lab| {
        let mut meshed = MeshFleet::start(lab).await?;
        let [revoked, other] = [lab.machine(1), lab.machine(2)];
        meshed.first_byte(revoked, other, seconds(5.0))?;
        meshed.control.revoke(revoked.name()).await?;
        eventually("the other one forgets it", seconds(2.0), async || {
            let mesh = meshed.mesh(other)?;
            ensure!(mesh["peers"].as_array().is_some_and(Vec::is_empty), "{mesh}");
            Ok(())
        })
        .await?;
        let code = meshed.member_mut(revoked).agent.exit_code(seconds(5.0))?;
        ensure!(code == Some(77), "{code:?}");
        let state = &meshed.member(revoked).setup.state_dir;
        ensure!(!state.join("map.json").exists(), "its map is left");
        Ok(())
    })
}

#[test]
fn what_nobody_asked_for_and_what_bears_a_false_source_is_dropped() -> Result<()> {
    on(Lab::on_internet(&[Nat::None, Nat::None])?, async |lab| {
        let meshed = MeshFleet::start(lab).await?;
        let [a, b] = [lab.machine(1), lab.machine(2)];
        let address = |machine: &Machine| meshed.member(machine).added.device.mesh_ip;
        let one_way = json!({"rules": [{"name": "udp", "from": ["device:h1"], "to": ["device:h2"],
            "proto": "udp", "ports": [5000]}]});
        set_policy(&meshed.control, &one_way).await?;
        let receiver = b.udp(5000, seconds(0.5))?;
        let sender = a.udp(5001, seconds(0.5))?;
        let to = SocketAddr::from((address(b), 5000));
        eventually("the rule is in force", seconds(5.0), async || {
            sender.send_to(b"hello", to)?;
            receiver.recv(&mut [0; 16])?;
            Ok(())
        })
        .await?;

        receiver.send_to(b"reply", (address(a), 5001))?;
        ensure!(sender.recv(&mut [0; 16])? == 5, "replies pass");
        let unasked = b.udp(5002, seconds(0.5))?;
        unasked.send_to(b"unasked", (address(a), 5001))?;
        ensure!(
            sender.recv(&mut [0; 16]).is_err(),
            "a packet that answers nothing came in"
        );

        let false_source = std::net::Ipv4Addr::from(u32::from(address(a)) + 77);
        let assign = ["address", "add", &false_source.to_string(), "dev", "flotilla0"];
        run(a.command("ip").args(assign))?;
        let liar = a.inside(|| Ok(UdpSocket::bind((false_source, 5003))?))?;
        liar.send_to(b"false", to)?;
        ensure!(
            receiver.recv(&mut [0; 16]).is_err(),
            "a packet with a false source came in"
        );
        sender.send_to(b"hello", to)?;
        ensure!(receiver.recv(&mut [0; 16])? == 5, "and the true one does not");
        Ok(())
    })
}

/// Makes a machine send single packets: the lab's cables pass runs of segments as one packet, which [`narrow`] would
/// drop whatever its segments' size.
fn cut_runs(machine: &Machine) -> Result<()> {
    run(machine
        .command("ip")
        .args(["link", "set", "eth0", "gso_max_segs", "1"]))
    .map(drop)
}

/// Drops large datagrams that arrive at a machine, without an error for the sender.
fn narrow(machine: &Machine) -> Result<()> {
    let hook = "{ type filter hook prerouting priority -300; }";
    let rule = ["udp", "length", ">", "1380", "drop"];
    for arguments in [
        &["add", "table", "ip", "narrow"][..],
        &["add", "chain", "ip", "narrow", "prerouting", hook],
        &[&["add", "rule", "ip", "narrow", "prerouting"], &rule[..]].concat(),
    ] {
        run(machine.command("nft").args(arguments))?;
    }
    Ok(())
}

#[test]
fn a_path_that_swallows_large_packets_still_carries_large_transfers() -> Result<()> {
    on(Lab::on_internet(&[Nat::Cone, Nat::None])?, async |lab| {
        let [a, b] = [lab.machine(1), lab.machine(2)];
        for machine in [a, b] {
            cut_runs(machine)?;
            narrow(machine)?;
        }
        let meshed = MeshFleet::start(lab).await?;
        let (mut stream, _) = meshed.first_byte(a, b, seconds(5.0))?;
        meshed
            .eventually_by(PathKind::Direct, a, b, seconds(10.0))
            .await?;
        let begun = Instant::now();
        transfer(&mut stream, 1 << 20).with_context(|| format!("{:?}", meshed.path(a, b)))?;
        println!("1 MiB to and fro took {:.1?}", begun.elapsed());
        Ok(())
    })
}

#[test]
fn a_path_that_narrows_while_it_is_used_carries_the_rest_after_seconds() -> Result<()> {
    on(Lab::on_internet(&[Nat::Cone, Nat::None])?, async |lab| {
        let [a, b] = [lab.machine(1), lab.machine(2)];
        for machine in [a, b] {
            cut_runs(machine)?;
        }
        let meshed = MeshFleet::start(lab).await?;
        meshed.first_byte(a, b, seconds(5.0))?;
        for (from, to) in [(a, b), (b, a)] {
            eventually("its whole size is known", seconds(10.0), async || {
                let path = meshed.path(from, to)?;
                ensure!(path.mtu == 1420, "{path:?}");
                Ok(())
            })
            .await?;
        }
        // A new connection: one that began while the known size was smaller would send segments that still fit.
        let (mut stream, _) = meshed.first_byte(a, b, seconds(5.0))?;
        transfer(&mut stream, 4 << 20)?;
        narrow(a)?;
        narrow(b)?;
        let narrowed = Instant::now();
        transfer(&mut stream, 1 << 20).with_context(|| format!("{:?}", meshed.path(a, b)))?;
        let took = narrowed.elapsed();
        println!("1 MiB to and fro took {took:.1?} after the path narrowed");
        let path = meshed.path(a, b)?;
        ensure!(path.why.kind() == PathKind::Direct, "{path:?}");
        ensure!(took < seconds(8.0), "{took:?} after the path narrowed");
        Ok(())
    })
}

#[test]
fn without_the_right_to_an_interface_a_device_is_managed_and_says_what_to_do() -> Result<()> {
    on(Lab::on_internet(&[Nat::None])?, async |lab| {
        let machine = lab.machine(1);
        let control = ControlSetup::new(lab)?.start()?;
        let added = control.add("nas").await?;
        let setup = AgentSetup::new(machine, &added)?;
        let without = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"];
        let mut command = setup.command_as(machine, &without)?;
        let _agent = Program::start(&mut command, machine.directory(), "agent")?;
        eventually("its attention", seconds(10.0), async || {
            let device = control.device("nas").await?;
            let mut troubles = device.attention.iter();
            let told = troubles.any(|attention| {
                matches!(attention, Attention::Mesh { code: MeshTrouble::NoTun, reason } if reason.contains("CAP_NET_ADMIN"))
            });
            ensure!(device.status == DeviceStatus::Online && told, "{:?}", device.attention);
            Ok(())
        })
        .await
    })
}

/// Becomes a program that sees another `resolv.conf`: the one in the folder that is its first argument.
const OTHER_NAMES: &str = r#"mount --bind "$0/resolv.conf" /etc/resolv.conf; exec "$@""#;

/// What would be cut off by the mesh's range is left alone, and the mesh heals when it is out of the way: a route that
/// was there first, and a name server that a lease brings later.
#[test]
fn a_mesh_that_takes_a_route_or_a_name_server_leaves_it_alone_and_heals_when_it_is_gone() -> Result<()> {
    on(Lab::on_internet(&[Nat::None, Nat::None])?, async |lab| {
        let mut meshed = MeshFleet::start(lab).await?;
        let machine = lab.machine(1);
        let mesh_ip = meshed.member(machine).added.device.mesh_ip;
        let [first, second, ..] = mesh_ip.octets();
        let route = format!("{first}.{second}.128.0/17");
        meshed.member_mut(machine).agent.stop()?;
        let change = |verb| run(machine.command("ip").args(["route", verb, &route, "dev", "eth0"]));
        change("add")?;
        let names = machine.directory().join("resolv.conf");
        fs::write(&names, "nameserver 192.0.2.53\n")?;
        let directory = machine.directory().display().to_string();
        let other_names = ["sh", "-euc", OTHER_NAMES, &directory];
        let mut agent = meshed.member(machine).setup.command_as(machine, &other_names)?;
        let _agent = Program::start(&mut agent, machine.directory(), "agent-of-other-names")?;
        eventually("it says what is in the way", seconds(10.0), async || {
            let mesh = meshed.mesh(machine)?;
            let state = &mesh["report"]["state"];
            ensure!(state["code"] == "range_overlap", "{mesh}");
            ensure!(
                state["reason"]
                    .as_str()
                    .is_some_and(|reason| reason.contains(&route)),
                "{mesh}"
            );
            Ok(())
        })
        .await?;
        meshed
            .control
            .eventually_online(machine.name(), seconds(10.0))
            .await?;
        ensure!(run(machine.command("ip").args(["route", "show", &route]))?.contains("eth0"));
        change("del")?;
        is_up_again(&meshed, machine).await?;

        let server = format!("{first}.{second}.2.136");
        fs::write(&names, format!("nameserver {server}\n"))?;
        // With the address that comes with it.
        run(machine
            .command("ip")
            .args(["addr", "add", "192.0.2.9/32", "dev", "lo"]))?;
        eventually("the name server is named", seconds(10.0), async || {
            let device = meshed.control.device(machine.name()).await?;
            let told = device.attention.iter().any(|about| {
                matches!(about, Attention::Mesh { code: MeshTrouble::NameServer, reason }
                    if reason.contains(&server) && reason.contains("Choose another range"))
            });
            ensure!(device.status == DeviceStatus::Online && told, "{device:?}");
            Ok(())
        })
        .await?;
        let way = run(machine.command("ip").args(["route", "get", &server]))?;
        ensure!(way.contains("dev eth0"), "names are asked for at {way}");
        fs::write(&names, "nameserver 192.0.2.53\n")?;
        is_up_again(&meshed, machine).await
    })
}

/// A device that is off the mesh tries again every 15 seconds.
async fn is_up_again(meshed: &MeshFleet, machine: &Machine) -> Result<()> {
    eventually("it is on the mesh again", seconds(30.0), async || {
        meshed.is_up(machine, 1).await
    })
    .await
}

#[test]
fn an_interface_that_is_taken_is_named_and_a_second_agent_on_the_same_state_refuses() -> Result<()> {
    on(Lab::on_internet(&[Nat::None, Nat::None])?, async |lab| {
        let mut meshed = MeshFleet::start(lab).await?;
        let machine = lab.machine(1);
        let setup = meshed.member(machine).setup.clone();
        let mut second = Program::start(&mut setup.command(machine)?, machine.directory(), "second")?;
        eventually_blocking("the second agent ends", seconds(10.0), || {
            let status = second.ended(seconds(5.0))?;
            ensure!(status.code() == Some(1), "{status}");
            Ok(())
        })?;
        ensure!(second.log()?.contains("--state-dir"), "{}", second.log()?);
        meshed.first_byte(machine, lab.machine(2), seconds(5.0))?;

        meshed.member_mut(machine).agent.stop()?;
        run(machine
            .command("ip")
            .args(["tuntap", "add", "dev", "flotilla0", "mode", "tun"]))?;
        let member = meshed.member_mut(machine);
        member.agent = member.setup.start(machine)?;
        eventually("it says what is in the way", seconds(10.0), async || {
            let mesh = meshed.mesh(machine)?;
            ensure!(mesh["report"]["state"]["code"] == "interface_taken", "{mesh}");
            Ok(())
        })
        .await
    })
}
