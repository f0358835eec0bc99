//! A process that has no file descriptors left.

use super::rig::{Control, SOON};
use crate::{call, capacity, raise_file_limit, settings::Limits};
use bytes::Bytes;
use http::Request;
use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    time::{ClockId, clock_gettime},
};
use std::{fs::File, process::Command, time::Duration};
use tokio::time::{interval, timeout};

/// Set in the child process, which has a file limit of its own.
const CROWDED: &str = "FLOTILLA_TEST_CROWDED";

/// How long connections wait to be accepted.
const FULL: Duration = Duration::from_secs(2);

/// Failures to open a file in a row, 10 ms apart, after which no more files are expected to be given back.
const REFUSALS: u32 = 20;

#[test]
fn accepting_goes_on_after_the_files_ran_out_and_does_not_spin() {
    alone(
        "accepting_goes_on_after_the_files_ran_out_and_does_not_spin",
        || tokio::runtime::Runtime::new().unwrap().block_on(crowded()),
    );
}

#[test]
fn a_process_that_starts_with_few_files_gets_what_the_system_lets_it_have() {
    alone(
        "a_process_that_starts_with_few_files_gets_what_the_system_lets_it_have",
        || {
            let limit = |current, maximum| Rlimit {
                current: Some(current),
                maximum: Some(maximum),
            };
            setrlimit(Resource::Nofile, limit(64, 200)).unwrap();
            raise_file_limit();
            assert_eq!(getrlimit(Resource::Nofile), limit(200, 200));
            assert_eq!(capacity::files(), 200);
        },
    );
}

/// Runs a test in a new process, because the file limit is of the whole process.
fn alone(test: &str, run: impl FnOnce()) {
    if std::env::var_os(CROWDED).is_some() {
        return run();
    }
    let name = format!("tests::crowded::{test}");
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &name, "--nocapture"])
        .env(CROWDED, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

async fn crowded() {
    let few = Rlimit {
        current: Some(64),
        maximum: Some(64),
    };
    setrlimit(Resource::Nofile, few).unwrap();
    let control = Control::start(Limits::default());
    let target = control.target([control.endpoint()]);
    let hello = || call(&target, Request::get("/hello").body(Bytes::new()).unwrap());
    hello().await.unwrap();

    let mut held = all_that_can_be_opened().await;
    // Frees one file for the client: the system completes its connection, and control cannot accept it.
    held.pop();
    let used = processor_time();
    assert!(
        timeout(FULL, hello()).await.is_err(),
        "it was accepted without a file"
    );
    let used = processor_time() - used;
    assert!(used < FULL / 10, "{used:?} of work in {FULL:?}");

    drop(held);
    timeout(SOON, hello()).await.unwrap().unwrap();
}

/// Opens files until none can be opened, also those that earlier connections give back after both ends have closed.
async fn all_that_can_be_opened() -> Vec<File> {
    let (mut held, mut refusals) = (Vec::new(), 0);
    let mut pauses = interval(Duration::from_millis(10));
    while refusals < REFUSALS {
        match File::open("/dev/null") {
            Ok(file) => {
                held.push(file);
                refusals = 0;
            }
            Err(error) => {
                assert_eq!(
                    error.raw_os_error(),
                    Some(rustix::io::Errno::MFILE.raw_os_error())
                );
                refusals += 1;
                pauses.tick().await;
            }
        }
    }
    held
}

/// The processor time that this process has used. Asking for it opens no file.
fn processor_time() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().unwrap()
}
