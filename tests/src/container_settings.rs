//! Every setting of a container that an engine's API takes, each with a value that is not its default.
//!
//! A setting is a part of the request that creates a container. Words between `@` are placeholders: `@NET@`, `@NETID@`
//! and `@SIDE@` for networks, `@SOURCE@` for a container and `@ENTRY@` for an image that the engine has; `@IP@`,
//! `@SIDEIP@` and `@PORT@` for addresses and a port that this container has alone.

use rand::Rng;
use rand::seq::IndexedRandom as _;
use serde_json::Value;

/// One setting, or several that are only valid together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContainerSetting {
    /// The first minor version of the API (1.x) that has the setting.
    pub since: u32,
    /// A container with it can be started on every computer. Where this is false, only creating it is tried.
    pub starts: bool,
    json: &'static str,
}

const fn plain(json: &'static str) -> ContainerSetting {
    ContainerSetting {
        since: 41,
        starts: true,
        json,
    }
}

const fn since(minor: u32, json: &'static str) -> ContainerSetting {
    ContainerSetting {
        since: minor,
        starts: true,
        json,
    }
}

/// A setting with which a container starts on some computers only, depending on devices, kernel and runtimes.
const fn described(json: &'static str) -> ContainerSetting {
    ContainerSetting {
        since: 41,
        starts: false,
        json,
    }
}

pub const SETTINGS: &[ContainerSetting] = &[
    plain(r#"{"Hostname": "named", "Domainname": "example.org"}"#),
    plain(r#"{"Hostname": "a"}"#),
    plain(r#"{"User": "1000:27"}"#),
    plain(r#"{"AttachStdin": true, "OpenStdin": true, "StdinOnce": true}"#),
    plain(r#"{"AttachStdout": true, "AttachStderr": true, "Tty": true}"#),
    plain(r#"{"ExposedPorts": {"7000/tcp": {}, "7001/udp": {}}}"#),
    plain(r#"{"Env": ["E=a=b", "EMPTY=", "PATH=/bin:/sbin", "GONE"]}"#),
    plain(
        r#"{"Cmd": ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done", "odd \"word\""]}"#,
    ),
    plain(
        r#"{"Entrypoint": ["env"], "Cmd": ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"]}"#,
    ),
    plain(r#"{"Entrypoint": []}"#),
    plain(
        r#"{"Image": "@ENTRY@", "Entrypoint": [""], "Cmd": ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"]}"#,
    ),
    plain(
        r#"{"Image": "@ENTRY@", "Cmd": ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"]}"#,
    ),
    plain(
        r#"{"Entrypoint": [""], "Cmd": ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"]}"#,
    ),
    plain(
        r#"{"Healthcheck": {"Test": ["CMD", "true"], "Interval": 1000000000, "Timeout": 2000000000, "Retries": 4, "StartPeriod": 3000000000}}"#,
    ),
    plain(r#"{"Healthcheck": {"Test": ["NONE"]}}"#),
    since(
        44,
        r#"{"Healthcheck": {"Test": ["CMD", "true"], "Interval": 1000000000, "StartPeriod": 3000000000, "StartInterval": 1000000000}}"#,
    ),
    plain(r#"{"ArgsEscaped": true}"#),
    plain(r#"{"Volumes": {"/anon": {}, "/anon2": {}}}"#),
    plain(r#"{"WorkingDir": "/tmp"}"#),
    plain(r#"{"NetworkDisabled": true}"#),
    plain(r#"{"MacAddress": "02:42:ac:aa:bb:cc"}"#),
    plain(r#"{"OnBuild": ["RUN true"]}"#),
    plain(r#"{"Labels": {"odd": "a=b \"c\" {d}", "empty": "", "com.example/x.y": "ü"}}"#),
    plain(r#"{"StopSignal": "15", "StopTimeout": 7}"#),
    plain(r#"{"Shell": ["/bin/sh", "-e"]}"#),
    plain(r#"{"HostConfig": {"CpuShares": 512}}"#),
    plain(r#"{"HostConfig": {"Memory": 67108864, "MemoryReservation": 33554432}}"#),
    plain(r#"{"HostConfig": {"Memory": 67108864, "MemorySwap": 134217728}}"#),
    plain(r#"{"HostConfig": {"Memory": 67108864, "OomKillDisable": true}}"#),
    plain(r#"{"HostConfig": {"MemorySwappiness": 10}}"#),
    plain(r#"{"HostConfig": {"CpuPeriod": 50000, "CpuQuota": 25000}}"#),
    plain(r#"{"HostConfig": {"CpusetCpus": "0", "CpusetMems": "0"}}"#),
    plain(r#"{"HostConfig": {"NanoCpus": 500000000}}"#),
    plain(r#"{"HostConfig": {"PidsLimit": 50}}"#),
    plain(r#"{"HostConfig": {"PidsLimit": -1}}"#),
    plain(
        r#"{"HostConfig": {"Ulimits": [{"Name": "nofile", "Soft": 2048, "Hard": 4096}, {"Name": "core", "Soft": 0, "Hard": 0}]}}"#,
    ),
    plain(
        r#"{"HostConfig": {"Devices": [{"PathOnHost": "/dev/null", "PathInContainer": "/dev/zero2", "CgroupPermissions": "r"}]}}"#,
    ),
    plain(r#"{"HostConfig": {"DeviceCgroupRules": ["c 42:* rmw"]}}"#),
    plain(r#"{"HostConfig": {"Binds": ["/etc:/host:ro,rprivate", "named:/data:nocopy"]}}"#),
    plain(r#"{"HostConfig": {"Binds": []}}"#),
    plain(
        r#"{"HostConfig": {"LogConfig": {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "2", "tag": "{{.Name}}"}}}}"#,
    ),
    plain(r#"{"HostConfig": {"LogConfig": {"Type": "none", "Config": {}}}}"#),
    plain(r#"{"HostConfig": {"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3}}}"#),
    plain(r#"{"HostConfig": {"RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0}}}"#),
    plain(r#"{"HostConfig": {"AutoRemove": true}}"#),
    plain(r#"{"HostConfig": {"VolumeDriver": "local"}}"#),
    plain(r#"{"HostConfig": {"VolumesFrom": ["@SOURCE@:ro"]}}"#),
    plain(r#"{"HostConfig": {"Mounts": [{"Type": "volume", "Target": "/anon3"}]}}"#),
    plain(
        r#"{"HostConfig": {"Mounts": [{"Type": "volume", "Source": "named", "Target": "/data", "ReadOnly": true, "VolumeOptions": {"NoCopy": true, "Labels": {"a": "b"}}}]}}"#,
    ),
    plain(
        r#"{"HostConfig": {"Mounts": [{"Type": "bind", "Source": "/etc", "Target": "/t", "BindOptions": {"Propagation": "rslave", "NonRecursive": true}}]}}"#,
    ),
    plain(
        r#"{"HostConfig": {"Mounts": [{"Type": "tmpfs", "Target": "/ram", "TmpfsOptions": {"SizeBytes": 1048576, "Mode": 1016}}]}}"#,
    ),
    since(
        44,
        r#"{"HostConfig": {"Mounts": [{"Type": "bind", "Source": "/etc", "Target": "/t", "ReadOnly": true, "BindOptions": {"ReadOnlyNonRecursive": true}}]}}"#,
    ),
    since(
        45,
        r#"{"HostConfig": {"Mounts": [{"Type": "volume", "Source": "named", "Target": "/sub", "VolumeOptions": {"Subpath": "inner"}}]}}"#,
    ),
    plain(r#"{"HostConfig": {"ConsoleSize": [24, 80]}}"#),
    since(43, r#"{"HostConfig": {"Annotations": {"org.example.a": "b"}}}"#),
    plain(r#"{"HostConfig": {"CapAdd": ["NET_RAW"], "CapDrop": ["ALL"]}}"#),
    plain(r#"{"HostConfig": {"CgroupnsMode": "private"}}"#),
    plain(r#"{"HostConfig": {"CgroupnsMode": "host"}}"#),
    plain(r#"{"HostConfig": {"Dns": ["10.9.9.9"], "DnsOptions": ["ndots:2"], "DnsSearch": ["a.example"]}}"#),
    plain(r#"{"HostConfig": {"Dns": [], "DnsOptions": [], "DnsSearch": []}}"#),
    plain(r#"{"HostConfig": {"ExtraHosts": ["db:10.1.2.3", "gw:host-gateway"]}}"#),
    plain(r#"{"HostConfig": {"GroupAdd": ["27", "audio"]}}"#),
    plain(r#"{"HostConfig": {"IpcMode": "shareable"}}"#),
    plain(r#"{"HostConfig": {"IpcMode": "host"}}"#),
    plain(r#"{"HostConfig": {"IpcMode": "none"}}"#),
    plain(r#"{"HostConfig": {"IpcMode": "container:@SOURCE@"}}"#),
    plain(r#"{"HostConfig": {"Links": ["@SOURCE@:alias"]}}"#),
    plain(r#"{"HostConfig": {"OomScoreAdj": 100}}"#),
    plain(r#"{"HostConfig": {"PidMode": "host"}}"#),
    plain(r#"{"HostConfig": {"PidMode": "container:@SOURCE@"}}"#),
    plain(r#"{"HostConfig": {"Privileged": true}}"#),
    plain(
        r#"{"ExposedPorts": {"9000/tcp": {}}, "HostConfig": {"PortBindings": {"9000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "@PORT@"}]}}}"#,
    ),
    plain(r#"{"ExposedPorts": {"9000/udp": {}}, "HostConfig": {"PublishAllPorts": true}}"#),
    plain(r#"{"HostConfig": {"ReadonlyRootfs": true}}"#),
    plain(r#"{"HostConfig": {"SecurityOpt": ["no-new-privileges", "seccomp=unconfined"]}}"#),
    plain(r#"{"HostConfig": {"SecurityOpt": ["label=disable"]}}"#),
    plain(r#"{"HostConfig": {"Tmpfs": {"/t": "rw,size=8m,mode=1770"}}}"#),
    plain(r#"{"HostConfig": {"UTSMode": "host"}}"#),
    plain(r#"{"HostConfig": {"ShmSize": 100663296}}"#),
    plain(
        r#"{"HostConfig": {"Sysctls": {"net.ipv4.ip_unprivileged_port_start": "80", "kernel.msgmax": "9000"}}}"#,
    ),
    plain(r#"{"HostConfig": {"Runtime": "runc"}}"#),
    plain(r#"{"HostConfig": {"MaskedPaths": [], "ReadonlyPaths": []}}"#),
    plain(r#"{"HostConfig": {"MaskedPaths": ["/proc/kcore"], "ReadonlyPaths": ["/proc/sys"]}}"#),
    plain(r#"{"HostConfig": {"NetworkMode": "none"}}"#),
    plain(r#"{"HostConfig": {"NetworkMode": "host"}}"#),
    plain(r#"{"HostConfig": {"NetworkMode": "bridge"}}"#),
    plain(r#"{"HostConfig": {"NetworkMode": "container:@SOURCE@"}}"#),
    plain(r#"{"HostConfig": {"NetworkMode": "@NET@"}}"#),
    plain(r#"{"HostConfig": {"NetworkMode": "@NET@"}, "MacAddress": "02:42:ac:aa:bb:cd"}"#),
    plain(
        r#"{"HostConfig": {"NetworkMode": "@NETID@"}, "NetworkingConfig": {"EndpointsConfig": {"@NETID@": {"Aliases": ["a1"], "IPAMConfig": {"IPv4Address": "@IP@"}}}}}"#,
    ),
    plain(
        r#"{"HostConfig": {"NetworkMode": "@NET@"}, "NetworkingConfig": {"EndpointsConfig": {"@NET@": {"Aliases": ["a1", "a2", "0"], "IPAMConfig": {"IPv4Address": "@IP@"}}}}}"#,
    ),
    plain(
        r#"{"HostConfig": {"NetworkMode": "@NET@"}, "NetworkingConfig": {"EndpointsConfig": {"@NET@": {"Links": ["@SOURCE@:alias"], "DriverOpts": {"com.example.a": "b"}}}}}"#,
    ),
    plain(
        r#"{"HostConfig": {"NetworkMode": "@NET@"}, "NetworkingConfig": {"EndpointsConfig": {"@NET@": {"IPAMConfig": {"LinkLocalIPs": ["169.254.34.68"]}}}}}"#,
    ),
    since(
        44,
        r#"{"HostConfig": {"NetworkMode": "@NET@"}, "NetworkingConfig": {"EndpointsConfig": {"@NET@": {"MacAddress": "02:42:ac:aa:bb:ce"}, "@SIDE@": {"Aliases": ["b1"], "IPAMConfig": {"IPv4Address": "@SIDEIP@"}}}}}"#,
    ),
    since(
        48,
        r#"{"HostConfig": {"NetworkMode": "@NET@"}, "NetworkingConfig": {"EndpointsConfig": {"@NET@": {"GwPriority": 5}}}}"#,
    ),
    // Only created and inspected, never started.
    described(r#"{"HostConfig": {"CgroupParent": "/elsewhere"}}"#),
    described(r#"{"HostConfig": {"Init": true}}"#),
    described(r#"{"HostConfig": {"Init": false}}"#),
    described(r#"{"HostConfig": {"BlkioWeight": 300}}"#),
    described(r#"{"HostConfig": {"BlkioWeightDevice": [{"Path": "/dev/vda", "Weight": 200}]}}"#),
    described(
        r#"{"HostConfig": {"BlkioDeviceReadBps": [{"Path": "/dev/vda", "Rate": 1048576}], "BlkioDeviceWriteBps": [{"Path": "/dev/vda", "Rate": 1048576}]}}"#,
    ),
    described(
        r#"{"HostConfig": {"BlkioDeviceReadIOps": [{"Path": "/dev/vda", "Rate": 100}], "BlkioDeviceWriteIOps": [{"Path": "/dev/vda", "Rate": 100}]}}"#,
    ),
    described(r#"{"HostConfig": {"CpuRealtimePeriod": 1000000}}"#),
    described(r#"{"HostConfig": {"CpuRealtimeRuntime": 950000}}"#),
    described(
        r#"{"HostConfig": {"DeviceRequests": [{"Driver": "example", "Count": 1, "DeviceIDs": null, "Capabilities": [["gpu"]], "Options": {"a": "b"}}]}}"#,
    ),
    described(r#"{"HostConfig": {"KernelMemory": 16777216}}"#),
    described(r#"{"HostConfig": {"KernelMemoryTCP": 16777216}}"#),
    described(r#"{"HostConfig": {"SecurityOpt": ["apparmor=unconfined", "label=type:svirt_apache_t"]}}"#),
    described(r#"{"HostConfig": {"StorageOpt": {"size": "1G"}}}"#),
    described(r#"{"HostConfig": {"UsernsMode": "host"}}"#),
    described(r#"{"HostConfig": {"Isolation": "default"}}"#),
    described(r#"{"HostConfig": {"Cgroup": ""}}"#),
    described(r#"{"HostConfig": {"CpuCount": 1}}"#),
    described(r#"{"HostConfig": {"CpuPercent": 50}}"#),
    described(r#"{"HostConfig": {"IOMaximumIOps": 100}}"#),
    described(r#"{"HostConfig": {"IOMaximumBandwidth": 100}}"#),
];

/// Fields that are in the description of every container, whether or not a request set them.
pub const SET_BY_ENGINE: &[&str] = &["Image", "NetworkMode", "ContainerIDFile", "Capabilities"];

impl ContainerSetting {
    /// The part of a request, after `fill` has replaced the placeholders in its text.
    #[must_use]
    pub fn request(&self, fill: impl Fn(String) -> String) -> Value {
        serde_json::from_str(&fill(self.json.to_owned())).unwrap_or_default()
    }

    /// The setting with its placeholders, for messages.
    #[must_use]
    pub fn text(&self) -> &'static str {
        self.json
    }
}

/// Three to nine random settings that an engine with this minor version of the API takes and that can be started. Where
/// two of them conflict, the later one replaces the earlier one in [`merge`].
pub fn group(minor: u32, random: &mut impl Rng) -> Vec<ContainerSetting> {
    let can = |setting: &&ContainerSetting| setting.since <= minor && setting.starts;
    let able: Vec<_> = SETTINGS.iter().filter(can).collect();
    let size = random.random_range(3..=9);
    able.choose_multiple(random, size)
        .map(|setting| **setting)
        .collect()
}

/// Merges the request `over` into the request `under`: objects field by field, other values by replacing them.
pub fn merge(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                merge(under.entry(key).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over,
    }
}
