//! Clients that open a connection and never finish a request: they delay no agent, and control closes all of them.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use flotilla_identity::{Clock, ControlTrust, agent_config};
use flotilla_protocol::Code;
use flotilla_tests::clock;
use flotilla_tests::flotilla::{Control, config};
use flotilla_tests::lab::with_lab;
use flotilla_tests::scripted_agent::{ScriptedAgent, refusal};
use flotilla_tests::slow_clients::{StallPoint, hold_open};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How many clients stall at each point.
const CLIENTS: usize = 30;

/// How many times a well-behaved agent connects, one time after the other, while the clients stall.
const GOOD: usize = 200;

#[test]
fn half_open_clients_delay_no_good_one_and_are_all_ended() -> Result<()> {
    with_lab(0, async |lab| {
        let control = Control::start(lab)?;
        let config = config(&control.add("nas").await?)?;
        let good = ScriptedAgent::new("good")?;
        good.enroll(&config).await?;

        let trust = ControlTrust {
            ca_pin: config.ca_pin.clone(),
            fleet: None,
        };
        let mut held = JoinSet::new();
        for stall_point in StallPoint::ALL
            .into_iter()
            .cycle()
            .take(CLIENTS * StallPoint::ALL.len())
        {
            let tls = agent_config(trust.clone(), None, Clock::new(clock::now))?;
            held.spawn(async move { (stall_point, hold_open("10.77.0.2:7443", stall_point, tls).await) });
        }
        let mut took = Vec::new();
        for _ in 0..GOOD {
            let begun = Instant::now();
            // A whole connection: TCP, TLS, a request, and its answer.
            let answer = good.enroll(&config).await;
            took.push(begun.elapsed());
            ensure!(
                answer.is_ok() || refusal(&answer) == Some(Code::RateLimited),
                "{answer:?}"
            );
        }
        took.sort();
        let [p50, p99] = [50, 99].map(|percent| took[took.len() * percent / 100]);
        println!(
            "beside {} half-open clients: p50 {p50:.2?}, p99 {p99:.2?}",
            held.len()
        );
        ensure!(p99 < Duration::from_millis(500), "p99 {p99:?}");

        while let Some(client) = timeout(Duration::from_secs(15), held.join_next())
            .await
            .with_context(|| "some are never ended")?
        {
            let (stall_point, lived) = client?;
            let lived = lived.with_context(|| format!("{stall_point:?}"))?;
            ensure!(lived < Duration::from_secs(25), "{stall_point:?} lived {lived:?}");
        }
        Ok(())
    })
}
