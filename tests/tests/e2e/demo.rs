//! The demo: its devices are directly connected on one mesh, and one of them has a pod.

use anyhow::{Result, ensure};
use flotilla_protocol::api::ListPaths;
use flotilla_protocol::path::PathKind;
use flotilla_tests::demo::{Demo, POD};
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::flotilla::ControlSetup;
use flotilla_tests::lab::with_lab;

#[test]
fn the_devices_of_the_demo_are_directly_connected_and_one_of_them_is_a_pod() -> Result<()> {
    with_lab(3, async |lab| {
        let demo = Demo::start(lab, ControlSetup::new(lab)?, &mut |_| ()).await?;
        let all = ListPaths::default();
        eventually("all paths are direct", seconds(20.0), async || {
            let paths = demo.control.send(&all).await?.items;
            let shown: Vec<_> = paths
                .iter()
                .map(|path| (&path.from, &path.to, path.why_code))
                .collect();
            let is_direct = paths.iter().all(|path| path.kind == PathKind::Direct);
            ensure!(paths.len() == 6 && is_direct, "{shown:?}");
            Ok(())
        })
        .await?;
        let pod = demo.control.device("vps-2").await?;
        for (name, port) in POD {
            eventually(&format!("{name} answers"), seconds(10.0), async || {
                lab.machine(1).get((pod.mesh_ip, port), seconds(2.0))
            })
            .await?;
            let row = demo.control.container("vps-2", name).await?;
            ensure!(row.item.pod.is_some(), "{:?}", row.item);
        }
        Ok(())
    })
}
