//! `cargo xtask bench [NAME]`: one JSON line per figure on stdout.

use anyhow::{Result, bail};
use flotilla_tests::bench::{
    Figure, connect, inventory_table, links, log_search, log_view, logs, mesh, narrow, relay, rpc, start,
};
use flotilla_tests::lab::{Lab, on, with_lab};

const NAMES: [&str; 13] = [
    "connect-time",
    "fan-out-10k",
    "links-1000",
    "log-search",
    "log-view",
    "logs",
    "mesh-latency",
    "mesh-narrow",
    "mesh-throughput",
    "relay-throughput",
    "restart-1000",
    "rpc-under-load",
    "start-up",
];

fn main() -> Result<()> {
    let wanted = std::env::args().nth(1);
    // `cargo xtask bench` measures the sizes itself, since it builds the programs.
    if let Some(wanted) = wanted
        .as_deref()
        .filter(|wanted| !NAMES.contains(wanted) && *wanted != "sizes")
    {
        bail!(
            "there is no bench {wanted}; there are {} and sizes",
            NAMES.join(", ")
        );
    }
    for name in NAMES
        .into_iter()
        .filter(|name| wanted.as_deref().is_none_or(|wanted| wanted == *name))
    {
        run(name)?;
    }
    Ok(())
}

fn run(name: &str) -> Result<()> {
    match name {
        "connect-time" => connect::connect(&mut print),
        "fan-out-10k" => on(Lab::without_engines(0)?, async |lab| {
            inventory_table::inventory_table(lab, &mut print).await
        }),
        "links-1000" => on(Lab::without_engines(0)?, async |lab| {
            links::links(lab, &mut print).await
        }),
        "log-search" => with_lab(3, async |lab| log_search::log_search(lab, &mut print).await),
        "log-view" => with_lab(1, async |lab| log_view::log_view(lab, &mut print).await),
        "logs" => with_lab(1, async |lab| logs::logs(lab, &mut print).await),
        "mesh-latency" => mesh::latency(&Lab::without_engines(2)?, &mut print),
        "mesh-narrow" => narrow::narrow(&Lab::over_a_line()?, &mut print),
        "mesh-throughput" => mesh::throughput(&Lab::without_engines(2)?, &mut print),
        "relay-throughput" => on(Lab::without_engines(0)?, async |lab| {
            relay::throughput(lab, &mut print)
        }),
        "restart-1000" => on(Lab::without_engines(0)?, async |lab| {
            links::restart(lab, &mut print).await
        }),
        "rpc-under-load" => on(Lab::without_engines(0)?, async |_| rpc::rpc(&mut print).await),
        _ => with_lab(1, async |lab| start::start(lab, &mut print).await),
    }
}

#[expect(clippy::print_stdout, reason = "figures are this program's output")]
fn print(figure: Figure) {
    println!("{}", serde_json::to_string(&figure).unwrap_or_default());
}
