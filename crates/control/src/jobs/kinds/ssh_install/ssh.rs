//! Runs the system's `ssh`. Its command line holds no secret (secrets go to standard input), and it never asks a
//! person.
//!
//! Host keys are never accepted here. The owner's configuration applies (aliases, jump hosts, keys), except where it
//! would ask, fork, or open connections that a push does not need.

use super::{exit::SshExit, explain::no_ssh, host::Host, line_splitter::LineSplitter};
use flotilla_protocol::Problem;
use futures_util::{StreamExt, stream};
use std::{io, path::PathBuf, process::Stdio, time::Duration};
use tokio::{
    io::AsyncWriteExt,
    process::{Child, ChildStdin, Command},
    time::{Instant, sleep_until},
};
use tokio_util::codec::{Decoder as _, FramedRead};

/// `-v` is for the fingerprint of the host key, and for the message that a tunnel listens.
const FLAGS: [&str; 4] = ["-v", "-T", "-a", "-x"];

/// Settings that take precedence over the owner's. A server that is silent for 45 s counts as gone.
const SETTINGS: [&str; 11] = [
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "UpdateHostKeys=no",
    "ConnectTimeout=10",
    "ServerAliveInterval=15",
    "ServerAliveCountMax=3",
    "ControlMaster=no",
    "ControlPath=none",
    "PermitLocalCommand=no",
    "RemoteCommand=none",
    "RequestTTY=no",
];

/// Lines on standard error that are kept, the newest ones.
const SAID: usize = 100;

/// Lines on standard output that are kept for an explanation.
const PRINTED: usize = 20;

/// How long output is read after `ssh` has ended, even if a child of it holds the pipes open.
const LINGER: Duration = Duration::from_secs(1);

/// The `ssh` program.
#[derive(Debug, Clone)]
pub(crate) struct Ssh {
    program: PathBuf,
}

/// One call of `ssh`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) host: &'a Host,
    /// `LISTEN_HOST:PORT:HOST:PORT`, where the host listens.
    pub(super) forward: Option<&'a str>,
    /// The command for the login shell there: a constant, with constant arguments.
    pub(super) command: &'a str,
    pub(super) input: Input<'a>,
}

/// Standard input of the command on the host.
#[derive(Debug, Clone, Copy)]
pub(super) enum Input<'a> {
    /// This text, then end of file.
    Text(&'a str),
    /// Nothing, but no end of file while the call lasts.
    Open,
}

/// One line of output, and where it came from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Line<'a> {
    /// Standard output of the command on the host.
    Printed(&'a str),
    /// Standard error: messages of `ssh`, and errors of the command on the host.
    Said(&'a str),
}

impl SshExit {
    /// Passes a line on, and keeps the last ones of each output.
    fn keep(&mut self, printed: bool, line: String, on_line: &mut impl FnMut(Line<'_>)) {
        let (kept, most) = if printed {
            on_line(Line::Printed(&line));
            (&mut self.printed, PRINTED)
        } else {
            on_line(Line::Said(&line));
            (&mut self.said, SAID)
        };
        if kept.len() == most {
            kept.remove(0);
        }
        kept.push(line);
    }
}

impl Ssh {
    pub(crate) fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
        }
    }

    /// Runs `ssh` to its end; dropping the future kills it.
    pub(super) async fn run(
        &self,
        call: Call<'_>,
        mut on_line: impl FnMut(Line<'_>),
    ) -> Result<SshExit, Problem> {
        let (mut child, stdin) = self.spawn(&call).map_err(|error| {
            tracing::warn!(%error, "ssh could not be started");
            no_ssh()
        })?;
        let feeding = feed(stdin, call.input);
        tokio::pin!(feeding);
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let mut printed = FramedRead::new(stdout.ok_or_else(no_ssh)?, LineSplitter);
        let mut said = FramedRead::new(stderr.ok_or_else(no_ssh)?, LineSplitter);
        let mut lines = stream::select(
            (&mut printed).map(|line| (true, line)),
            (&mut said).map(|line| (false, line)),
        );
        let mut exit = SshExit::default();
        let (mut fed, mut stop_reading_at) = (false, None);
        loop {
            tokio::select! {
                line = lines.next() => match line {
                    Some((printed, Ok(line))) => exit.keep(printed, line, &mut on_line),
                    Some((_, Err(_))) => {}
                    None => break,
                },
                () = &mut feeding, if !fed => fed = true,
                status = child.wait(), if stop_reading_at.is_none() => {
                    exit.status = status.ok().and_then(|status| status.code());
                    stop_reading_at = Some(Instant::now() + LINGER);
                }
                () = until(stop_reading_at) => break,
            }
        }
        if stop_reading_at.is_none() {
            exit.status = child.wait().await.ok().and_then(|status| status.code());
        }
        // What came in time of lines that were not passed on.
        for (printed, begun) in [(true, printed.read_buffer_mut()), (false, said.read_buffer_mut())] {
            while let Ok(Some(line)) = LineSplitter.decode_eof(begun) {
                exit.keep(printed, line, &mut on_line);
            }
        }
        Ok(exit)
    }

    fn spawn(&self, call: &Call<'_>) -> io::Result<(Child, ChildStdin)> {
        let mut child = Command::new(&self.program)
            .args(arguments(call))
            // A process that asks all the same, such as the ssh of a jump host, gets no for an answer.
            .env("SSH_ASKPASS", "false")
            .env("SSH_ASKPASS_REQUIRE", "force")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdin = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok((child, stdin))
    }
}

fn arguments(call: &Call<'_>) -> Vec<String> {
    let mut arguments: Vec<String> = FLAGS.map(str::to_owned).into();
    for setting in SETTINGS {
        arguments.extend(["-o".to_owned(), setting.to_owned()]);
    }
    match call.forward {
        Some(forward) => arguments.extend(["-R".to_owned(), forward.to_owned()]),
        None => arguments.extend(["-o".to_owned(), "ClearAllForwardings=yes".to_owned()]),
    }
    arguments.extend(call.host.arguments());
    arguments.push(call.command.to_owned());
    arguments
}

/// Write errors are ignored: a host that stops reading has ended the command, and its exit says more.
async fn feed(mut stdin: ChildStdin, input: Input<'_>) {
    match input {
        Input::Text(text) => {
            let _ = stdin.write_all(text.as_bytes()).await;
            let _ = stdin.shutdown().await;
        }
        Input::Open => std::future::pending().await,
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(host: &Host) -> Call<'_> {
        Call {
            host,
            forward: None,
            command: "cat",
            input: Input::Text("secret"),
        }
    }

    #[test]
    fn nothing_is_asked_or_accepted_and_no_secret_is_an_argument() {
        let host: Host = "pi@nas:2222".parse().unwrap();
        let given = arguments(&call(&host)).join(" ");
        for setting in [
            "-o BatchMode=yes",
            "-o StrictHostKeyChecking=yes",
            "-o ClearAllForwardings=yes",
        ] {
            assert!(given.contains(setting), "{given}");
        }
        assert!(given.ends_with("-p 2222 -l pi -- nas cat"), "{given}");
        assert!(!given.contains("secret"));
        let tunnel = Call {
            forward: Some("127.0.0.1:21000:127.0.0.1:7443"),
            ..call(&host)
        };
        let given = arguments(&tunnel).join(" ");
        assert!(
            given.contains("-R 127.0.0.1:21000:127.0.0.1:7443") && !given.contains("ClearAll"),
            "{given}"
        );
    }

    #[tokio::test]
    async fn lines_are_heard_as_they_come_and_the_last_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let ssh = Ssh::new(crate::testbed::program(
            dir.path(),
            "ssh",
            "cat; printf 'one\\ntwo' ; seq 200 >&2; exit 3",
        ));
        let host: Host = "nas".parse().unwrap();
        let mut lines = Vec::new();
        let exit = ssh
            .run(call(&host), |line| {
                if let Line::Printed(line) = line {
                    lines.push(line.to_owned());
                }
            })
            .await
            .unwrap();
        assert_eq!(
            (exit.status, lines),
            (Some(3), vec!["secretone".into(), "two".into()])
        );
        assert_eq!((exit.said.len(), exit.said[0].as_str()), (SAID, "101"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_child_that_keeps_the_pipes_does_not_keep_the_call() {
        let dir = tempfile::tempdir().unwrap();
        let ssh = Ssh::new(crate::testbed::program(dir.path(), "ssh", "sleep 5 & exit 255"));
        let host: Host = "nas".parse().unwrap();
        let exit = ssh.run(call(&host), |_| {}).await.unwrap();
        assert_eq!(exit.status, Some(255));
    }

    #[tokio::test]
    async fn without_ssh_that_is_what_is_said() {
        let host: Host = "nas".parse().unwrap();
        let problem = Ssh::new("/no/such/ssh")
            .run(call(&host), |_| {})
            .await
            .unwrap_err();
        assert!(problem.message.contains("no ssh program"));
    }
}
