//! From a Wasm file to something that can be instantiated in microseconds.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{
    Cache, CacheConfig, Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig,
};
use wasmtime_wasi::WasiView;
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::{cli, filesystem, random};
use wasmtime_wasi::random::WasiRandom;
use wasmtime_wasi_http::p2::bindings::ProxyPre;
use wit_component::ComponentEncoder;

use crate::platform::{Instance, bindings};

/// Instances that can live at once.
const INSTANCES: u32 = 1_000;
/// Memory that stays mapped in a slot between two instances, so that the next one need not fault it in.
const RESIDENT_MEMORY: usize = 2 << 20;
const RESIDENT_TABLE: usize = 512 << 10;
/// How often a running guest looks up: the precision of the time limit.
const TICK: Duration = Duration::from_millis(10);

/// Makes the engine, with compiled code cached under `cache`, and starts its clock.
///
/// # Errors
/// Where the machine does not offer what the engine needs, or the cache cannot be used.
pub fn engine(cache: &Path) -> Result<Engine> {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(INSTANCES)
        .total_memories(INSTANCES)
        .total_stacks(INSTANCES)
        .total_tables(2 * INSTANCES)
        .total_core_instances(4 * INSTANCES)
        .table_elements(100_000)
        .linear_memory_keep_resident(RESIDENT_MEMORY)
        .table_keep_resident(RESIDENT_TABLE);
    let mut directory = CacheConfig::new();
    directory.with_directory(std::path::absolute(cache)?);
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        // Components are stripped: their frames have no names.
        .wasm_backtrace_max_frames(None)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .cache(Some(Cache::new(directory)?));
    let engine = Engine::new(&config)?;
    let clock = engine.weak();
    std::thread::spawn(move || {
        while let Some(engine) = clock.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(TICK);
        }
    });
    Ok(engine)
}

/// What components can import: WASI 0.2 without sockets, HTTP both ways, and Spin's interfaces.
///
/// # Errors
/// Where two of them have the same name.
pub fn linker(engine: &Engine) -> Result<Linker<Instance>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi_http::p2::add_to_linker_async(&mut linker)?;
    cli::environment::add_to_linker::<Instance, WasiCli>(&mut linker, Instance::cli)?;
    cli::exit::add_to_linker::<Instance, WasiCli>(&mut linker, Instance::cli)?;
    cli::terminal_input::add_to_linker::<Instance, WasiCli>(&mut linker, Instance::cli)?;
    cli::terminal_output::add_to_linker::<Instance, WasiCli>(&mut linker, Instance::cli)?;
    cli::terminal_stdin::add_to_linker::<Instance, WasiCli>(&mut linker, Instance::cli)?;
    cli::terminal_stdout::add_to_linker::<Instance, WasiCli>(&mut linker, Instance::cli)?;
    cli::terminal_stderr::add_to_linker::<Instance, WasiCli>(&mut linker, Instance::cli)?;
    filesystem::types::add_to_linker::<Instance, WasiFilesystem>(
        &mut linker,
        Instance::filesystem,
    )?;
    filesystem::preopens::add_to_linker::<Instance, WasiFilesystem>(
        &mut linker,
        Instance::filesystem,
    )?;
    random::insecure::add_to_linker::<Instance, WasiRandom>(&mut linker, |i| i.ctx().ctx.random())?;
    random::insecure_seed::add_to_linker::<Instance, WasiRandom>(&mut linker, |i| {
        i.ctx().ctx.random()
    })?;
    bindings::Platform::add_to_linker::<Instance, HasSelf<Instance>>(&mut linker, |instance| {
        instance
    })?;
    Ok(linker)
}

/// Compiles a file, or takes it from the cache, and links it.
///
/// # Errors
/// Where the file is not Wasm, exports no HTTP handler, or imports what this host does not implement: the
/// import is named.
pub fn component(linker: &Linker<Instance>, path: &Path) -> Result<ProxyPre<Instance>> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let bytes =
        componentized(bytes).with_context(|| format!("{} is not a component", path.display()))?;
    let component = Component::new(linker.engine(), &bytes)?;
    Ok(ProxyPre::new(linker.instantiate_pre(&component)?)?)
}

/// A module of `wasm32-wasip1` becomes a component by an adapter from WASI 0.1 to 0.2.
fn componentized(bytes: Vec<u8>) -> Result<Vec<u8>> {
    const COMPONENT_PREAMBLE: &[u8] = b"\0asm\x0d\0\x01\0";
    if bytes.starts_with(COMPONENT_PREAMBLE) {
        return Ok(bytes);
    }
    ComponentEncoder::default()
        .module(&bytes)?
        .adapter(
            WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME,
            WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
        )?
        .encode()
}
