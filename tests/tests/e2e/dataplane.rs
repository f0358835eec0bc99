//! The data plane without an agent: two machines with interfaces and sockets, and other WireGuard programs as peers.

use anyhow::{Result, ensure};
use flotilla_tests::dataplane::{
    Ends, Implementation, Transfer, Underlay, checksum_errors, map_without_peers, our_command, round_trips,
};
use flotilla_tests::eventually::{eventually_blocking, seconds};
use flotilla_tests::lab::{Lab, Machine};
use flotilla_tests::program::{Program, run};

/// Runs a scenario with two machines without engines. The test stays outside of the lab's namespaces.
fn with_two(scenario: impl FnOnce([&Machine; 2]) -> Result<()>) -> Result<()> {
    let lab = Lab::without_engines(2)?;
    scenario([lab.machine(1), lab.machine(2)])
}

/// Sends TCP and UDP both ways between two ends; fails when too little arrives or a checksum is wrong.
fn exchange(ends: &Ends<'_>) -> Result<()> {
    let one = Transfer::megabytes(50, 1);
    for transfer in [
        one,
        one.reversed(),
        Transfer::megabytes(50, 4),
        Transfer::megabytes(50, 4).reversed(),
    ] {
        let arrived = transfer.run(ends)?;
        // Far less than any machine carries in that time, and far more packets than a replay window has.
        ensure!(arrived.gbit > 0.1, "{transfer:?}: {arrived:?}");
    }
    for transfer in [Transfer::udp(1, 50), Transfer::udp(1, 50).reversed()] {
        let arrived = transfer.run(ends)?;
        ensure!(arrived.gbit > 0.01, "{transfer:?}: {arrived:?}");
    }
    for end in [&ends.near, &ends.far] {
        let errors = checksum_errors(end.machine)?;
        ensure!(errors == 0, "{} broken packets on {}", errors, end.machine.name());
    }
    Ok(())
}

#[test]
fn two_data_planes_carry_tcp_and_udp_both_ways_over_ipv4() -> Result<()> {
    with_two(|machines| {
        exchange(&Ends::start(
            machines,
            [Implementation::Ours; 2],
            Underlay::V4,
            0,
        )?)
    })
}

#[test]
fn two_data_planes_carry_tcp_and_udp_both_ways_over_ipv6() -> Result<()> {
    with_two(|machines| {
        exchange(&Ends::start(
            machines,
            [Implementation::Ours; 2],
            Underlay::V6,
            0,
        )?)
    })
}

#[test]
fn wireguard_go_configured_by_hand_is_a_peer() -> Result<()> {
    with_two(|machines| {
        exchange(&Ends::start(
            machines,
            [Implementation::Ours, Implementation::WireguardGo],
            Underlay::V4,
            0,
        )?)
    })
}

#[test]
fn gotatun_configured_by_hand_is_a_peer() -> Result<()> {
    with_two(|machines| {
        exchange(&Ends::start(
            machines,
            [Implementation::Ours, Implementation::Gotatun],
            Underlay::V4,
            0,
        )?)
    })
}

#[test]
fn boringtun_configured_by_hand_is_a_peer() -> Result<()> {
    with_two(|machines| {
        exchange(&Ends::start(
            machines,
            [Implementation::Ours, Implementation::Boringtun],
            Underlay::V4,
            0,
        )?)
    })
}

#[test]
fn a_session_that_is_rekeyed_loses_nothing() -> Result<()> {
    with_two(|machines| {
        let ends = Ends::start(
            machines,
            [Implementation::Ours, Implementation::WireguardGo],
            Underlay::V4,
            0,
        )?;
        // WireGuard makes new keys after two minutes.
        let (times, lost) = round_trips(&ends, 1300, "0.1")?;
        ensure!(lost == 0, "{lost} of {} pings lost", times.len());
        let handshakes =
            run(machines[1]
                .command("wg")
                .args(["show", ends.far.interface(), "latest-handshakes"]))?;
        let latest: u64 = handshakes.split_whitespace().last().unwrap_or_default().parse()?;
        let now: u64 = run(machines[1].command("date").arg("+%s"))?.parse()?;
        ensure!(now - latest < 60, "the last handshake was {} s ago", now - latest);
        Ok(())
    })
}

#[test]
fn a_killed_data_plane_leaves_nothing_and_the_next_takes_its_place() -> Result<()> {
    with_two(|machines| {
        let mut ends = Ends::start(machines, [Implementation::Ours; 2], Underlay::V4, 0)?;
        let interface = ends.near.interface().to_owned();
        ends.near.program.kill()?;
        let link = || run(machines[0].command("ip").args(["link", "show", &interface]));
        eventually_blocking("the interface is gone", seconds(2.0), || {
            ensure!(link().is_err(), "it is there");
            Ok(())
        })?;
        let again = Ends::start(
            machines,
            [Implementation::Ours, Implementation::WireguardGo],
            Underlay::V4,
            1,
        )?;
        drop(again);
        let map = map_without_peers([100, 64, 0, 1].into());
        let mut taken_over = start(machines[0], &interface, &map)?;
        eventually_blocking("the interface is back", seconds(5.0), || link().map(drop))?;
        ensure!(taken_over.terminate(seconds(5.0))?.success());
        ensure!(link().is_err(), "the interface outlives its program");
        Ok(())
    })
}

#[test]
fn a_data_plane_whose_interface_is_removed_ends_and_says_so() -> Result<()> {
    with_two(|[machine, _]| {
        let mut program = start(machine, "flotilla0", &map_without_peers([100, 64, 0, 1].into()))?;
        eventually_blocking("it is ready", seconds(5.0), || {
            ensure!(program.output()?.starts_with("ready"), "{}", program.log()?);
            Ok(())
        })?;
        run(machine.command("ip").args(["link", "delete", "flotilla0"]))?;
        refused(&mut program, "removed by someone else")
    })
}

#[test]
fn what_is_in_the_way_is_said_with_what_to_do() -> Result<()> {
    with_two(|[machine, _]| {
        let map = map_without_peers([100, 64, 0, 1].into());
        run(machine
            .command("ip")
            .args(["link", "add", "flotilla0", "type", "bridge"]))?;
        refused(
            &mut start(machine, "flotilla0", &map)?,
            "ip link delete flotilla0",
        )?;

        run(machine
            .command("ip")
            .args(["addr", "add", "100.64.9.9/24", "dev", "eth0"]))?;
        refused(
            &mut start(machine, "flotilla1", &map)?,
            "already routes 100.64.9.0/24 on eth0",
        )?;
        run(machine
            .command("ip")
            .args(["addr", "del", "100.64.9.9/24", "dev", "eth0"]))?;

        let running = start(machine, "flotilla1", &map)?;
        eventually_blocking("the first is ready", seconds(5.0), || {
            ensure!(running.output()?.starts_with("ready"), "{}", running.log()?);
            Ok(())
        })?;
        refused(
            &mut start(machine, "flotilla2", &map)?,
            "UDP port 7000 could not be opened",
        )?;
        refused(
            &mut start(machine, "flotilla1", &map)?,
            "ip link delete flotilla1",
        )?;

        let command = our_command(machine, "flotilla3", &map)?;
        let mut powerless = machine.command("setpriv");
        powerless.args(["--bounding-set=-net_admin", "--inh-caps=-net_admin"]);
        // A machine's command begins with the words that enter its namespaces; the rest is the program.
        let words: Vec<_> = command.get_args().collect();
        let own = machine.command("").get_args().count() - 1;
        powerless.args(&words[own..]);
        let mut program = Program::start(&mut powerless, machine.directory(), "powerless")?;
        refused(&mut program, "CAP_NET_ADMIN")
    })
}

fn start(machine: &Machine, interface: &str, map: &flotilla_protocol::mesh::NetworkMap) -> Result<Program> {
    Program::start(
        &mut our_command(machine, interface, map)?,
        machine.directory(),
        interface,
    )
}

fn refused(program: &mut Program, words: &str) -> Result<()> {
    let status = program.ended(seconds(5.0))?;
    let log = program.log()?;
    ensure!(
        !status.success() && log.contains(words),
        "{status}, and not `{words}`:\n{log}"
    );
    Ok(())
}
