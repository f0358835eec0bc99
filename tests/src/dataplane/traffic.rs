//! Traffic from one end to the other, and the checksum errors that the kernel counted.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::{End, Ends};
use crate::eventually::{eventually_blocking, seconds};
use crate::lab::Machine;
use crate::program::{Program, run};

/// How traffic is sent.
#[derive(Debug, Clone, Copy)]
pub struct Transfer {
    pub length: Length,
    pub streams: u32,
    /// From the far end to the near one instead of the other way.
    pub reverse: bool,
    /// UDP at this rate in Mbit/s instead of TCP as fast as it goes.
    pub udp_mbit: Option<u32>,
}

/// When the sender has sent enough.
#[derive(Debug, Clone, Copy)]
pub enum Length {
    /// For figures.
    Seconds(u32),
    /// For tests: on a busy computer it takes longer, and the same is sent. The last megabytes may be on their way when
    /// the receiver counts.
    Megabytes(u32),
}

/// What arrived.
#[derive(Debug, Clone, Copy)]
pub struct TransferResult {
    pub gbit: f64,
    pub gbit_per_second: f64,
    /// TCP segments that had to be sent again.
    pub retransmits: f64,
    /// UDP datagrams that did not arrive, of a hundred.
    pub lost_percent: f64,
}

impl Transfer {
    #[must_use]
    pub fn tcp(seconds: u32, streams: u32) -> Self {
        Self {
            length: Length::Seconds(seconds),
            streams,
            reverse: false,
            udp_mbit: None,
        }
    }

    #[must_use]
    pub fn megabytes(megabytes: u32, streams: u32) -> Self {
        Self {
            length: Length::Megabytes(megabytes),
            ..Self::tcp(0, streams)
        }
    }

    #[must_use]
    pub fn udp(seconds: u32, mbit: u32) -> Self {
        Self {
            udp_mbit: Some(mbit),
            ..Self::tcp(seconds, 1)
        }
    }

    #[must_use]
    pub fn reversed(self) -> Self {
        Self {
            reverse: true,
            ..self
        }
    }

    /// Sends from one end through the tunnel to the other.
    pub fn run(self, ends: &Ends<'_>) -> Result<TransferResult> {
        self.between(&ends.near, &ends.far)
    }

    fn between(self, near: &End<'_>, far: &End<'_>) -> Result<TransferResult> {
        let server = Server::start(far)?;
        let address = far.address().to_string();
        let mut client = near.machine.command("iperf3");
        client.args(["--json", "--client", &address]);
        match self.length {
            Length::Seconds(seconds) => client.args(["--time", &seconds.to_string()]),
            Length::Megabytes(megabytes) => client.args(["--bytes", &format!("{megabytes}M")]),
        };
        client.args(["--parallel", &self.streams.to_string()]);
        if self.reverse {
            client.arg("--reverse");
        }
        if let Some(mbit) = self.udp_mbit {
            // Small enough for the packets to a plain WireGuard peer, which answers no probes for larger ones.
            client.args(["--udp", "--length", "1200", "--bitrate", &format!("{mbit}M")]);
        }
        let answer = run(&mut client)?;
        drop(server);
        let report: Value = serde_json::from_str(&answer)?;
        if let Some(error) = report["error"].as_str() {
            bail!("iperf3: {error}");
        }
        let end = &report["end"];
        let number = |value: &Value| value.as_f64().context("iperf3 reports no number");
        let received = if end["sum_received"].is_object() {
            &end["sum_received"]
        } else {
            &end["sum"]
        };
        Ok(TransferResult {
            gbit: number(&received["bytes"])? * 8e-9,
            gbit_per_second: number(&received["bits_per_second"])? * 1e-9,
            retransmits: end["sum_sent"]["retransmits"].as_f64().unwrap_or_default(),
            lost_percent: end["sum"]["lost_percent"].as_f64().unwrap_or_default(),
        })
    }
}

/// An iperf3 server for one test. Dropping it kills it, since a server whose client died would run on.
struct Server(#[expect(dead_code, reason = "it runs as long as this lives")] Program);

impl Server {
    fn start(end: &End<'_>) -> Result<Self> {
        let address = end.address().to_string();
        let mut command = end.machine.command("iperf3");
        command.args(["--server", "--one-off", "--forceflush", "--bind", &address]);
        let name = format!("iperf3-{:06x}", rand::random::<u32>() & 0x00ff_ffff);
        let mut program = Program::start(&mut command, end.machine.directory(), &name)?;
        eventually_blocking("iperf3 listens", seconds(5.0), || {
            program.ensure_running()?;
            ensure!(program.output()?.contains("listening"), "{}", program.log()?);
            Ok(())
        })?;
        Ok(Self(program))
    }
}

/// How many TCP, UDP and ICMP packets with a wrong checksum this machine's kernel has received.
pub fn checksum_errors(machine: &Machine) -> Result<u64> {
    let counters = run(machine.command("nstat").args([
        "-a",
        "-s",
        "-z",
        "TcpInCsumErrors",
        "UdpInCsumErrors",
        "IcmpInCsumErrors",
    ]))?;
    let values = counters
        .lines()
        .filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    Ok(values.sum())
}

/// Sends `count` pings, one each `interval` seconds. Returns their round trip times in microseconds, sorted, and how
/// many were lost.
pub fn round_trips(ends: &Ends<'_>, count: u32, interval: &str) -> Result<(Vec<f64>, u64)> {
    let [count, target] = [count.to_string(), ends.far.address().to_string()];
    let answer = run(ends
        .near
        .machine
        .command("ping")
        .args(["-c", &count, "-i", interval, "-W", "2", &target]))?;
    let time = |line: &str| line.split("time=").nth(1)?.split(' ').next()?.parse::<f64>().ok();
    let mut times: Vec<f64> = answer.lines().filter_map(time).map(|ms| ms * 1e3).collect();
    times.sort_by(f64::total_cmp);
    let lost = count.parse::<u64>()?.saturating_sub(times.len() as u64);
    Ok((times, lost))
}
