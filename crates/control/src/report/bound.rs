//! The limits of everything that a device tells. Each type is taken apart to its last field, so what is added to one
//! does not compile before it has a bound here.

use super::limiter::Scale;
use flotilla_protocol::{
    agent::{Hello, ItemRef},
    device::{EndpointTrial, Facts, Usage},
    inventory::{
        Ailment, Container, EngineFacts, EngineState, FoundAs, Image, Item, Network, Port, Stack,
        StackFolder, Volume,
    },
    mesh::{MeshReport, MeshState},
    path::{PathAttempt, PeerPath},
};

/// Addresses at which a device may be reached. A machine with more interfaces than this is found at the first ones.
const CANDIDATES: usize = 64;

/// Addresses of control that a device tried; control tells it of fewer.
const TRIALS: usize = 64;

/// Something that a device tells.
pub(crate) trait Bound {
    /// Cuts what is beyond its limits.
    fn bound(&mut self, scale: &mut Scale);
}

/// A value within its limits.
pub(crate) fn bounded<T: Bound>(mut value: T) -> T {
    value.bound(&mut Scale::default());
    value
}

impl Bound for Hello {
    fn bound(&mut self, scale: &mut Scale) {
        let Self {
            protocol: _,
            agent_version,
            sent_at: _,
            facts,
        } = self;
        scale.name(agent_version);
        facts.bound(scale);
    }
}

impl Bound for Facts {
    fn bound(&mut self, scale: &mut Scale) {
        let Self {
            hostname,
            os,
            kernel,
            arch,
            cpus,
            memory_bytes,
            disk_bytes,
            containerized: _,
        } = self;
        scale.names([hostname, os, kernel, arch]);
        scale.count(cpus);
        scale.bytes(memory_bytes);
        scale.bytes(disk_bytes);
    }
}

impl Bound for EngineState {
    fn bound(&mut self, scale: &mut Scale) {
        match self {
            Self::Running(facts) => facts.bound(scale),
            Self::Absent { reason, since: _ }
            | Self::Stopped { reason, since: _ }
            | Self::Denied { reason, since: _ }
            | Self::Unfit { reason, since: _ } => scale.sentence(reason),
            Self::Unknown => {}
        }
    }
}

impl Bound for EngineFacts {
    fn bound(&mut self, scale: &mut Scale) {
        let Self {
            flavor,
            version,
            api_version,
            os,
            arch,
            storage_driver,
            rootless: _,
            docker_desktop: _,
            ailment,
        } = self;
        scale.names([flavor, version, api_version, os, arch, storage_driver]);
        if let Some(Ailment { reason, since: _ }) = ailment {
            scale.sentence(reason);
        }
    }
}

impl Bound for Usage {
    fn bound(&mut self, scale: &mut Scale) {
        let Self {
            cpu_cores,
            memory_bytes,
            disk_bytes,
        } = self;
        scale.cores(cpu_cores);
        scale.bytes(memory_bytes);
        scale.bytes(disk_bytes);
    }
}

impl Bound for MeshReport {
    fn bound(&mut self, scale: &mut Scale) {
        let Self {
            state,
            revision: _,
            candidates,
            home_relay: _,
            nat: _,
        } = self;
        match state {
            MeshState::Up {
                interface,
                mtu: _,
                obstacle,
            } => {
                scale.name(interface);
                if let Some(obstacle) = obstacle {
                    scale.sentence(&mut obstacle.reason);
                }
            }
            MeshState::Down { code: _, reason } => scale.sentence(reason),
            MeshState::Starting | MeshState::Unknown => {}
        }
        scale.list_of(candidates, CANDIDATES);
    }
}

impl Bound for PeerPath {
    fn bound(&mut self, scale: &mut Scale) {
        let Self {
            peer: _,
            why: _,
            relay: _,
            remote: _,
            cause: _,
            rtt_ms,
            since: _,
            last_handshake: _,
            received_bytes,
            sent_bytes,
            mtu: _,
        } = self;
        scale.round_trip(rtt_ms);
        scale.bytes(received_bytes);
        scale.bytes(sent_bytes);
    }
}

impl Bound for Vec<PathAttempt> {
    fn bound(&mut self, scale: &mut Scale) {
        scale.list_of(self, CANDIDATES);
        for attempt in self {
            let PathAttempt { target, rtt_ms } = attempt;
            scale.name(target);
            scale.round_trip(rtt_ms);
        }
    }
}

impl Bound for Vec<EndpointTrial> {
    fn bound(&mut self, scale: &mut Scale) {
        scale.list_of(self, TRIALS);
        for trial in self {
            let EndpointTrial {
                endpoint: _, // its own type keeps it short
                reached: _,
                reason,
                at: _,
            } = trial;
            reason.iter_mut().for_each(|reason| scale.sentence(reason));
        }
    }
}

impl Bound for ItemRef {
    fn bound(&mut self, scale: &mut Scale) {
        let Self { kind: _, key } = self;
        scale.name(key);
    }
}

impl Bound for Item {
    fn bound(&mut self, scale: &mut Scale) {
        match self {
            Self::Container(item) => item.bound(scale),
            Self::Image(item) => item.bound(scale),
            Self::Volume(item) => item.bound(scale),
            Self::Network(item) => item.bound(scale),
            Self::Stack(item) => item.bound(scale),
            Self::Unknown => {}
        }
    }
}

impl Bound for Container {
    fn bound(&mut self, scale: &mut Scale) {
        let Self {
            id,
            name,
            image,
            image_id,
            state: _,
            status,
            health: _,
            stack,
            service,
            ports,
            created: _,
            started: _,
            finished: _,
            exit_code: _,
            failure,
            unread,
            oom_killed: _,
            restarts,
            network_mode,
            volumes,
            networks,
            is_agent: _,
            pod: _,
            found_as,
        } = self;
        scale.names([id, name, image_id, status, network_mode]);
        scale.sentence(image);
        for reason in [failure, unread].into_iter().flatten() {
            scale.sentence(reason);
        }
        scale.names(stack);
        scale.names(service);
        scale.count(restarts);
        scale.list(ports);
        for port in ports {
            let Port {
                private: _,
                private_last: _,
                protocol,
                public: _,
                address,
            } = port;
            scale.name(protocol);
            scale.names(address);
        }
        for names in [volumes, networks] {
            scale.list(names);
            scale.names(names);
        }
        found_as.bound(scale);
    }
}

impl Bound for Vec<FoundAs> {
    fn bound(&mut self, scale: &mut Scale) {
        scale.list(self);
        for found in self {
            let FoundAs {
                network,
                names,
                neighbors,
            } = found;
            scale.name(network);
            for names in [names, neighbors] {
                scale.list(names);
                scale.names(names);
            }
        }
    }
}

impl Bound for Image {
    fn bound(&mut self, scale: &mut Scale) {
        let Self {
            id,
            tags,
            digests,
            size_bytes,
            created: _,
            used_by,
        } = self;
        scale.name(id);
        for references in [tags, digests] {
            scale.list(references);
            references.iter_mut().for_each(|text| scale.sentence(text));
        }
        scale.bytes(size_bytes);
        used_by.iter_mut().for_each(|count| scale.count(count));
    }
}

impl Bound for Volume {
    fn bound(&mut self, scale: &mut Scale) {
        let Self {
            name,
            driver,
            mountpoint,
            created: _,
            used_by,
            stack,
            labels,
        } = self;
        scale.names([name, driver]);
        scale.path(mountpoint);
        scale.list(used_by);
        scale.names(used_by);
        scale.names(stack);
        scale.labels(labels);
    }
}

impl Bound for Network {
    fn bound(&mut self, scale: &mut Scale) {
        let Self {
            id,
            name,
            driver,
            subnets,
            containers,
            stack,
            internal: _,
            attachable: _,
        } = self;
        scale.names([id, name, driver]);
        for names in [subnets, containers] {
            scale.list(names);
            scale.names(names);
        }
        scale.names(stack);
    }
}

impl Bound for Stack {
    fn bound(&mut self, scale: &mut Scale) {
        let Self {
            name,
            services,
            running,
            total,
            unhealthy,
            config_files,
            folders,
        } = self;
        scale.name(name);
        scale.list(folders);
        for StackFolder {
            path,
            services,
            config_files,
        } in folders
        {
            scale.path(path);
            scale.list(services);
            scale.names(services);
            scale.list(config_files);
            config_files.iter_mut().for_each(|path| scale.path(path));
        }
        scale.list(services);
        scale.names(services);
        for count in [running, total, unhealthy] {
            scale.count(count);
        }
        scale.list(config_files);
        config_files.iter_mut().for_each(|path| scale.path(path));
    }
}
