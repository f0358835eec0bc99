//! Logs of containers, as `flotilla logs` prints them: each line once and in order, through cut links too, and whatever a
//! container writes.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use flotilla_tests::engine::WORKER;
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::fleet::Fleet;
use flotilla_tests::flotilla::ControlSetup;
use flotilla_tests::lab::{Lab, Machine, with_lab};
use flotilla_tests::program::{Program, attempt};

/// Lines of the container whose log is read. `cargo xtask soak logs` says by `FLOTILLA_LOG_LINES` and `FLOTILLA_LOG_CUTS`
/// how many lines and cuts there are.
const LINES: usize = 60_000;

/// How often the link is cut while they are read.
const CUTS: usize = 3;

fn wanted(variable: &str, short: usize) -> Result<usize> {
    match std::env::var(variable) {
        Ok(text) => text.parse().with_context(|| format!("{variable} is no number")),
        Err(_) => Ok(short),
    }
}

fn command(fleet: &Fleet, arguments: &[&str]) -> Command {
    let mut command = fleet.control.command();
    command.arg("logs").args(arguments);
    command
}

/// Waits until the agent has said this so often.
async fn agent_said(fleet: &Fleet, words: &str, times: usize) -> Result<()> {
    eventually(words, seconds(35.0), async || {
        let said = fleet.agent.log()?.matches(words).count();
        ensure!(said >= times, "{said} times");
        Ok(())
    })
    .await
}

/// Starts `flotilla logs ARGUMENTS`, with the output in files that begin with `name`.
fn start(lab: &Lab, fleet: &Fleet, name: &str, arguments: &[&str]) -> Result<Program> {
    Program::start(&mut command(fleet, arguments), &lab.directory("logs")?, name)
}

fn ensure_counted(output: &str, lines: usize) -> Result<()> {
    let mut expected = 1..=lines;
    for line in output.lines() {
        let next = expected.next().context("there is more than was written")?;
        ensure!(line == next.to_string(), "{line} in place of {next}");
    }
    ensure!(expected.next().is_none(), "the end is missing");
    Ok(())
}

#[test]
fn each_line_is_read_once_and_in_order_however_often_the_link_is_cut() -> Result<()> {
    with_lab(1, async |lab| {
        let (lines, cuts) = (
            wanted("FLOTILLA_LOG_LINES", LINES)?,
            wanted("FLOTILLA_LOG_CUTS", CUTS)?,
        );
        let mut fleet = Fleet::start(lab, ControlSetup::new(lab)?).await?;
        let machine = lab.machine(1);
        // A thousand at once, and ten times a second.
        let script = format!(
            "i=1; while [ $i -le {lines} ]; do seq $i $((i + 999)); i=$((i + 1000)); sleep 0.1; done; echo over >&2; exec sleep 600"
        );
        machine.docker_run(&["--name", "counter", WORKER, "sh", "-c", &script])?;
        fleet.control.container_shows("nas", "counter").await?;
        let mut reading = start(lab, &fleet, "reading", &["-f", "nas/counter"])?;
        // It has no line until the end, and so nothing but a place to go on from.
        let quiet = ["-f", "-n", "0", "--grep", "over", "nas/counter"];
        let mut waiting = start(lab, &fleet, "waiting", &quiet)?;
        let port = fleet.control.fleet_port()?;
        for cut in 1..=cuts {
            let part = lines * cut / (cuts + 1);
            eventually("a part is read", seconds(60.0), async || {
                let read = reading.output()?.lines().count();
                ensure!(read >= part, "{read} of {part}");
                Ok(())
            })
            .await?;
            // The agent notices that at once, and control when the agent is back.
            lab.refuse_on_control(port)?;
            agent_said(&fleet, "dialing again", cut).await?;
            lab.accept_on_control()?;
            agent_said(&fleet, "linked to control", cut + 1).await?;
        }
        // The agent ends, and another one goes on.
        fleet.agent.kill()?;
        fleet.agent = fleet.setup.start(machine)?;
        for program in [&mut reading, &mut waiting] {
            eventually("all of it is read", seconds(120.0), async || {
                program.ensure_running()?;
                let log = program.log()?;
                ensure!(log.contains("over\n"), "{log}");
                Ok(())
            })
            .await?;
        }
        ensure_counted(&reading.output()?, lines)?;
        ensure!(waiting.output()?.is_empty());
        let log = reading.log()?;
        let told = log.contains("The link to nas is lost") && log.contains("goes on where it was");
        ensure!(told, "{log}");
        waiting.terminate(seconds(5.0))?;
        reading.terminate(seconds(5.0)).map(drop)
    })
}

/// Writes text, bytes that are none, a line of a million bytes, and an error.
const SCRIPT: &str = r"echo first; printf '\377\000\033[31mred\n'; head -c 1000000 /dev/zero | tr '\0' x; echo; sleep 0.3; echo an error >&2; sleep 0.3; echo last";

#[test]
fn what_a_container_wrote_is_printed_byte_for_byte_as_its_engine_does() -> Result<()> {
    with_lab(1, async |lab| {
        let fleet = Fleet::start(lab, ControlSetup::new(lab)?).await?;
        let machine = lab.machine(1);
        // Only the one of these drivers keeps bytes that are no text, and only the other the ends of long lines.
        for driver in ["local", "json-file"] {
            let options = ["--name", driver, "--log-driver", driver, WORKER];
            machine.docker_run(&[&options[..], &["sh", "-c", SCRIPT]].concat())?;
            fleet.control.container_shows("nas", driver).await?;
            stopped(machine, driver).await?;
            let ours = command(&fleet, &[&format!("nas/{driver}")]).output()?;
            let dockers = machine.docker().args(["logs", driver]).output()?;
            ensure!(ours.status.success() && ours.stdout.len() > 1_000_000);
            ensure!(ours.stdout == dockers.stdout, "{driver}");
            ensure!(ours.stderr == dockers.stderr, "{driver}");
        }
        Ok(())
    })
}

async fn stopped(machine: &Machine, name: &str) -> Result<()> {
    eventually("it has stopped", seconds(20.0), async || {
        ensure!(machine.container_state(name)? == "exited");
        Ok(())
    })
    .await
}

#[test]
fn a_log_is_searched_on_its_device_and_what_can_not_be_read_is_refused_with_its_reason() -> Result<()> {
    with_lab(1, async |lab| {
        let fleet = Fleet::start(lab, ControlSetup::new(lab)?).await?;
        let machine = lab.machine(1);
        machine.docker_run(&["--name", "ended", WORKER, "sh", "-c", SCRIPT])?;
        machine.docker_run(&["--name", "screen", "--tty", WORKER, "sh", "-c", SCRIPT])?;
        machine.docker_run(&["--name", "silent", "--log-driver", "none", WORKER])?;
        for name in ["ended", "screen"] {
            stopped(machine, name).await?;
            fleet.control.container_shows("nas", name).await?;
        }
        fleet.control.container_shows("nas", "silent").await?;
        let logs = |arguments: &[&str]| attempt(&mut command(&fleet, arguments));

        let screen = logs(&["nas/screen", "--grep", "^(first|l.st|x+)$"])?;
        screen.ended_with(0, &["first\nxxx", "xxx\nlast\n"])?;
        ensure!(screen.said.len() == 1_000_012, "{}", screen.said.len());
        let found = logs(&["nas/ended", "--grep", "(?i)ERROR", "--timestamps"])?;
        found.ended_with(0, &["Z an error"])?;
        ensure!(found.said.lines().count() == 1, "{}", found.said);
        let last = logs(&["nas/ended", "--tail", "1"])?;
        ensure!(last.said == "last\n", "{}", last.said);
        let later = logs(&["nas/ended", "--since", "2100-01-01T00:00:00Z"])?;
        later.ended_with(0, &[])?;
        ensure!(later.said.is_empty(), "{}", later.said);
        logs(&["-f", "nas/ended", "--tail", "1"])?.ended_with(0, &["last", "ended on nas has stopped."])?;

        logs(&["nas/ended", "--grep", "(?=x)"])?.ended_with(2, &["can't be looked for: look-around"])?;
        logs(&["nas/silent"])?.ended_with(1, &["keeps nothing that can be read"])?;
        logs(&["nas/nothing"])?.ended_with(4, &["There is no container nothing on nas"])
    })
}

/// Writes numbered lines a few at a time, each with the name of its container.
fn takes_turns(name: &str) -> String {
    format!(
        "i=1; while [ $i -le 40 ]; do echo [INFO] {name} $i; echo [WARN] {name} $i is late; echo and more; i=$((i + 1)); sleep 0.05; done"
    )
}

#[test]
fn logs_of_several_containers_are_printed_by_time_and_those_of_the_fleet_searched_also_while_a_device_is_away()
-> Result<()> {
    with_lab(1, async |lab| {
        let mut fleet = Fleet::start(lab, ControlSetup::new(lab)?).await?;
        let machine = lab.machine(1);
        for name in ["store", "db"] {
            let label = "com.docker.compose.project=shop";
            machine.docker_run(&[
                "--name",
                name,
                "--label",
                label,
                WORKER,
                "sh",
                "-c",
                &takes_turns(name),
            ])?;
        }
        for name in ["store", "db"] {
            stopped(machine, name).await?;
            fleet.control.container_shows("nas", name).await?;
        }
        let logs = |arguments: &[&str]| attempt(&mut command(&fleet, arguments));

        let both = logs(&["nas/store", "nas/db", "--timestamps"])?;
        both.ended_with(0, &["A  store | 2", "B  db    | 2"])?;
        let times: Vec<_> = both.said.lines().map(|line| line[11..41].to_owned()).collect();
        ensure!(times.len() == 240 && times.is_sorted(), "{}", both.said);
        let stack = logs(&["--stack", "shop", "--level", "warn"])?;
        stack.ended_with(
            0,
            &[
                "store | [WARN] store 40 is late",
                "db    | [WARN] db 1 is late",
                " | and more",
            ],
        )?;
        ensure!(
            stack.said.lines().count() == 160 && !stack.said.contains("INFO"),
            "{}",
            stack.said
        );
        logs(&["--stack", "nothing"])?.ended_with(4, &["There is no container of a stack nothing"])?;
        logs(&["nas/store", "nas/nothing", "--tail", "1"])?
            .ended_with(4, &["and more", "nas/nothing: There is no container"])?;

        for range in [&[][..], &["--since", "1h"]] {
            let found = logs(&[&["--search", "(store|db) 7 is", "--timestamps"], range].concat())?;
            found.ended_with(0, &["nas/store | 2", "nas/db    | 2", "[WARN] store 7 is late"])?;
            ensure!(found.said.lines().count() == 2, "{}", found.said);
        }
        let found = logs(&["--search", "7 is", "--container", "db", "--json"])?;
        found.ended_with(0, &["\"container\": \"db\"", "\"unreachable_devices\": []"])?;
        logs(&["--search", "("])?.ended_with(2, &["can't be looked for"])?;
        fleet.agent.kill()?;
        eventually("it is away", seconds(60.0), async || {
            attempt(&mut command(&fleet, &["--search", "7 is"]))?
                .ended_with(0, &["nas is ", "not all searched"])
        })
        .await
    })
}
