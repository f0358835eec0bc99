//! Routes, filters and interfaces of a device that interfere with the mesh: the mesh works all the same, or Needs
//! attention says what is in the way.

use std::net::Ipv4Addr;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use flotilla_protocol::api::TestPath;
use flotilla_protocol::device::{Attention, RelayPreference};
use flotilla_protocol::mesh::MeshTrouble;
use flotilla_protocol::path::PathKind;
use flotilla_tests::artifacts;
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::flotilla::ControlSetup;
use flotilla_tests::lab::{Lab, Machine, Nat, on};
use flotilla_tests::mesh_fleet::MeshFleet;
use flotilla_tests::program::{command, run};
use serde_json::Value;

/// A firewall like that of a distribution: it lets in answers, the loopback and SSH.
const GUARD: &str = "table inet guard { chain input { type filter hook input priority 0; policy drop; \
    ct state established,related accept; iifname \"lo\" accept; tcp dport 22 accept; }; }";

fn sh(machine: &Machine, line: &str) -> Result<String> {
    run(machine.command("sh").args(["-euc", line])).with_context(|| line.to_owned())
}

/// Waits until control shows this obstacle (or none) on a device, with these words in its reason.
async fn eventually_told(
    meshed: &MeshFleet,
    machine: &Machine,
    code: Option<MeshTrouble>,
    words: &str,
) -> Result<()> {
    let what = format!("{} has {code:?} in the way", machine.name());
    eventually(&what, seconds(15.0), async || {
        let device = meshed.control.device(machine.name()).await?;
        let obstacles: Vec<_> = device
            .attention
            .iter()
            .filter_map(|about| match about {
                Attention::MeshObstacle { code, reason } => Some((*code, reason.as_str())),
                _ => None,
            })
            .collect();
        let told = obstacles.first().map(|(code, _)| *code);
        ensure!(told == code, "{obstacles:?}");
        ensure!(
            obstacles.iter().all(|(_, reason)| reason.contains(words)),
            "{obstacles:?}"
        );
        Ok(())
    })
    .await
}

/// For a device with this mesh address: commands that make an obstacle, its code, words of its reason, and commands
/// that remove it.
fn obstacles(mesh_ip: Ipv4Addr) -> [(String, MeshTrouble, &'static str, String); 6] {
    use MeshTrouble::{Firewall, ReversePath, RouteTaken};
    let [first, second, ..] = mesh_ip.octets();
    let range = format!("{first}.{second}.0.0/16");
    let half = format!("{first}.{second}.128.0/17 dev eth0");
    let chain = |hook: &str, rule: &str| {
        format!("nft 'table inet d {{ chain c {{ type filter hook {hook} priority -150; {rule}; }}; }}'")
    };
    let end = "nft delete table inet d";
    let default = "ip route add default dev eth0 table 77; ip rule add pref 100";
    let end_rule = "ip route flush table 77; ip rule del pref 100";
    [
        (
            format!("nft '{GUARD}'"),
            Firewall,
            "what peers begin",
            "nft delete table inet guard".to_owned(),
        ),
        (
            chain("input", "iifname flotilla0 drop"),
            Firewall,
            "ufw allow in on flotilla0",
            end.to_owned(),
        ),
        (
            chain("output", "oifname flotilla0 drop"),
            Firewall,
            "ufw allow out on flotilla0",
            end.to_owned(),
        ),
        (
            format!("{default} to {range} lookup 77"),
            RouteTaken,
            "goes to eth0 instead of flotilla0",
            end_rule.to_owned(),
        ),
        // As with a VPN that marks packets: the answer to a marked packet would leave by another interface.
        (
            format!(
                "sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.all.src_valid_mark=1; {}; \
                 {default} fwmark 7 to {range} lookup 77",
                chain("prerouting", "iifname flotilla0 meta mark set 7")
            ),
            ReversePath,
            "rp_filter",
            format!("{end_rule}; {end}"),
        ),
        (
            format!("ip route add {half}"),
            RouteTaken,
            "128.0/17 on eth0",
            format!("ip route del {half}"),
        ),
    ]
}

#[test]
fn what_is_in_the_way_of_packets_is_named_by_its_kind_and_gone_when_it_is_gone() -> Result<()> {
    on(Lab::on_internet(&[Nat::None, Nat::None])?, async |lab| {
        let meshed = MeshFleet::start(lab).await?;
        let [a, b] = [lab.machine(1), lab.machine(2)];
        meshed.first_byte(a, b, seconds(5.0))?;
        for (change, code, words, back) in obstacles(meshed.member(a).added.device.mesh_ip) {
            let (change, back) = (change.as_str(), back.as_str());
            sh(a, change)?;
            eventually_told(&meshed, a, Some(code), words).await?;
            sh(a, back)?;
            eventually_told(&meshed, a, None, "").await?;
        }
        eventually_told(&meshed, b, None, "").await?;
        meshed.first_byte(b, a, seconds(5.0)).map(drop)
    })
}

#[test]
fn what_another_program_takes_away_from_the_mesh_is_put_back() -> Result<()> {
    on(Lab::on_internet(&[Nat::None, Nat::None])?, async |lab| {
        let meshed = MeshFleet::start(lab).await?;
        let [a, b] = [lab.machine(1), lab.machine(2)];
        meshed.first_byte(a, b, seconds(5.0))?;
        for taken in ["ip route flush dev flotilla0", "ip addr flush dev flotilla0"] {
            sh(a, taken)?;
            eventually(taken, seconds(5.0), async || {
                meshed.first_byte(a, b, seconds(0.5)).map(drop)?;
                meshed.first_byte(b, a, seconds(0.5)).map(drop)
            })
            .await?;
        }
        Ok(())
    })
}

#[test]
fn devices_behind_firewalls_of_their_own_reach_each_other_directly() -> Result<()> {
    on(Lab::on_internet(&[Nat::None, Nat::None])?, async |lab| {
        let [a, b] = [lab.machine(1), lab.machine(2)];
        for machine in [a, b] {
            sh(
                machine,
                &format!("nft '{GUARD}'; nft insert rule inet guard input iifname flotilla0 accept"),
            )?;
        }
        let meshed = MeshFleet::start(lab).await?;
        for (from, to) in [(a, b), (b, a)] {
            meshed.first_byte(from, to, seconds(5.0))?;
            meshed
                .eventually_by(PathKind::Direct, from, to, seconds(10.0))
                .await?;
        }
        Ok(())
    })
}

/// Names by which programs call what leads to no other device.
const INNER: &str =
    "podman1 lxdbr0 wg0 tailscale0 cni0 flannel.1 cali123 cilium_host zt0 incusbr0 virbr1 ppp0";

/// A VPN's client that takes all traffic, and bridges of programs that make networks of their own.
#[test]
fn a_vpn_in_two_halves_and_inner_networks_leave_the_mesh_as_it_is() -> Result<()> {
    on(Lab::on_internet(&[Nat::None, Nat::None])?, async |lab| {
        let mut meshed = MeshFleet::start(lab).await?;
        let machine = lab.machine(1);
        let control = lab.control();
        // A VPN's client keeps the former route to its server; here control's address stands for that server.
        sh(
            machine,
            &format!(
                "ip route add {} $(ip route show default | sed 's/^default//'); \
                 ip link add vpn0 type veth peer name vpn0far; ip link set vpn0far up; ip link set vpn0 up; \
                 ip addr add 10.200.0.2/24 dev vpn0; \
                 ip link add inner type bridge; ip link set inner up; ip addr add 10.5.0.1/24 dev inner; \
                 i=0; for name in {INNER}; do i=$((i+1)); \
                   ip link add $name type veth peer name far$i; ip link set far$i up; ip link set $name up; \
                   ip addr add 10.5.$i.1/24 dev $name; done; \
                 ip route add 0.0.0.0/1 via 10.200.0.1 dev vpn0; ip route add 128.0.0.0/1 via 10.200.0.1 dev vpn0",
                control.ip()
            ),
        )?;
        meshed.member_mut(machine).agent.stop()?;
        let member = meshed.member_mut(machine);
        member.agent = member.setup.start(machine)?;
        let started = Instant::now();
        meshed.is_up(machine, 1).await?;
        meshed
            .eventually_by(PathKind::Direct, machine, lab.machine(2), seconds(10.0))
            .await?;
        println!("direct after {:.1?}", started.elapsed());
        let candidates = eventually("the device reports its addresses", seconds(10.0), async || {
            let mesh = meshed.mesh(machine)?;
            let candidates = mesh["report"]["candidates"].as_array().into_iter().flatten();
            let addresses = candidates.filter_map(|candidate| candidate["address"].as_str());
            let addresses: Vec<String> = addresses.map(str::to_owned).collect();
            ensure!(!addresses.is_empty(), "{mesh}");
            Ok(addresses)
        })
        .await?;
        ensure!(
            candidates
                .iter()
                .all(|address| !address.starts_with("10.200.") && !address.starts_with("10.5.")),
            "{candidates:?}"
        );
        meshed
            .control
            .eventually_online(machine.name(), seconds(10.0))
            .await
            .map(drop)
    })
}

fn link(meshed: &MeshFleet, machine: &Machine) -> Result<Value> {
    let state_dir = &meshed.member(machine).setup.state_dir;
    let status = run(command(artifacts::agent()?, ["status", "--json", "--state-dir"]).arg(state_dir))?;
    let mut status: Value = serde_json::from_str(&status)?;
    Ok(status["link"].take())
}

/// From a dock to a cable, say: nothing about the address tells that it moved.
#[test]
fn a_device_whose_address_moves_to_a_second_card_has_link_and_direct_path_back_in_ten_seconds() -> Result<()>
{
    on(Lab::on_internet(&[Nat::Cone, Nat::None])?, async |lab| {
        let meshed = MeshFleet::start(lab).await?;
        let [other, machine] = [lab.machine(1), lab.machine(2)];
        meshed
            .eventually_by(PathKind::Direct, machine, other, seconds(10.0))
            .await?;
        lab.second_cable(machine)?;
        let address = machine.address();
        let moved = Instant::now();
        sh(
            machine,
            &format!(
                "way=$(ip route show default | sed 's/ dev eth0.*//'); ip addr del {address}/24 dev eth0; \
                 ip addr add {address}/24 dev eth1; ip route add $way dev eth1"
            ),
        )?;
        meshed.first_byte(machine, other, seconds(10.0))?;
        let heard = moved.elapsed();
        let test = TestPath {
            from: machine.name().to_owned(),
            to: other.name().to_owned(),
        };
        // Asked of the device by its link, and answered by it.
        let attempts = eventually("it answers by a direct way", seconds(15.0), async || {
            let attempts = meshed.control.send(&test).await?;
            let mut direct = attempts.iter().filter(|one| !one.target.starts_with("Relay"));
            ensure!(direct.any(|one| one.rtt_ms.is_some()), "{attempts:?}");
            Ok(attempts)
        })
        .await?;
        meshed
            .eventually_by(PathKind::Direct, machine, other, seconds(15.0))
            .await?;
        println!(
            "heard after {heard:.1?}, direct after {:.1?}: {attempts:?}",
            moved.elapsed()
        );
        ensure!(moved.elapsed() < seconds(10.0), "{:?}", moved.elapsed());
        Ok(())
    })
}

#[test]
fn a_device_that_moves_to_another_network_has_its_link_and_direct_path_back_in_ten_seconds() -> Result<()> {
    on(Lab::on_internet(&[Nat::Cone, Nat::None])?, async |lab| {
        let meshed = MeshFleet::start(lab).await?;
        meshed
            .eventually_by(PathKind::Direct, lab.machine(1), lab.machine(2), seconds(10.0))
            .await?;
        let before = link(&meshed, lab.machine(1))?;
        lab.roam(1, Nat::PortRestricted)?;
        let moved = Instant::now();
        let [roamed, other] = [lab.machine(1), lab.machine(2)];
        eventually("a new link", seconds(15.0), async || {
            let now = link(&meshed, roamed)?;
            ensure!(now != before && now["state"] == "up", "{now}");
            Ok(())
        })
        .await?;
        let linked = moved.elapsed();
        meshed
            .eventually_by(PathKind::Direct, roamed, other, seconds(15.0))
            .await?;
        println!("linked after {linked:.1?}, direct after {:.1?}", moved.elapsed());
        ensure!(moved.elapsed() < seconds(10.0), "{:?}", moved.elapsed());
        Ok(())
    })
}

/// The mesh carries IPv4 even where the networks around a device have IPv6 alone.
#[test]
fn a_device_without_ipv4_is_on_the_mesh_and_reaches_one_without_ipv6_by_the_relay() -> Result<()> {
    on(Lab::on_internet(&[Nat::None, Nat::None])?, async |lab| {
        let [six, four] = [lab.machine(1), lab.machine(2)];
        let control = lab.control_namespace();
        run(&mut command(
            "ip",
            [
                "-n",
                &control,
                "addr",
                "add",
                "fd77::1/64",
                "dev",
                "eth0",
                "nodad",
            ],
        ))?;
        sh(
            six,
            "ip addr flush dev eth0 scope global; ip addr add fd77::11/64 dev eth0 nodad; ip -6 route add default via fd77::1",
        )?;
        let port = lab.control().port();
        let mut setup = ControlSetup::new(lab)?;
        setup.arguments = vec!["--fleet-addr".to_owned(), format!("[::]:{port}")];
        setup.advertise.push(format!("[fd77::1]:{port}"));
        let meshed = MeshFleet::start_with(lab, setup, RelayPreference::Auto).await?;
        for (from, to) in [(six, four), (four, six)] {
            meshed.first_byte(from, to, seconds(10.0))?;
            meshed
                .eventually_by(PathKind::Relayed, from, to, seconds(10.0))
                .await?;
        }
        let linked = link(&meshed, six)?;
        ensure!(linked["endpoint"] == format!("[fd77::1]:{port}"), "{linked}");
        eventually_told(&meshed, six, None, "").await
    })
}
