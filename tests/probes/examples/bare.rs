//! Makes as many host calls as it is asked for, and nothing else: the limit that an endpoint with the same
//! calls is measured against. `/?variables=2&key-value=1&key-value-sets=0&reads=1&writes=0&outbound=0`
#![cfg(target_arch = "wasm32")]
#![allow(missing_docs)]

use spin_sdk::http::{IntoResponse, Request, Response};
use spin_sdk::sqlite::Value;
use spin_sdk::{http_component, key_value, sqlite, variables};

#[http_component]
async fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
    let query = request.query().to_owned();
    let count = |name: &str| -> usize {
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find_map(|(key, value)| (key == name).then(|| value.parse().ok())?)
            .unwrap_or(0)
    };
    for _ in 0..count("variables") {
        variables::get("something")?;
    }
    let (gets, sets) = (count("key-value"), count("key-value-sets"));
    if gets + sets > 0 {
        let store = key_value::Store::open_default()?;
        for _ in 0..gets {
            store.get("bare")?;
        }
        for _ in 0..sets {
            store.set("bare", &[0; 60])?;
        }
    }
    let (reads, writes) = (count("reads"), count("writes"));
    if reads + writes > 0 {
        let database = sqlite::Connection::open_default()?;
        for _ in 0..reads {
            database.execute("SELECT value FROM bare WHERE id = $1", &[Value::Integer(1)])?;
        }
        for _ in 0..writes {
            database.execute(
                "UPDATE bare SET value = value + 1 WHERE id = $1",
                &[Value::Integer(1)],
            )?;
        }
    }
    for _ in 0..count("outbound") {
        let upstream = variables::get("upstream")?;
        let _: Response = spin_sdk::http::send(Request::post(upstream, "nothing")).await?;
    }
    Ok(Response::new(200, "ok"))
}
