//! One component that does on request what a test wants to see the host do. The last segment of the path
//! says what, the query with which arguments; the answer is JSON, errors as the interface gave them.
#![cfg(target_arch = "wasm32")]
#![allow(missing_docs)]

use std::collections::HashMap;
use std::time::SystemTime;

use serde_json::{Value, json};
use spin_sdk::http::conversions::TryFromIncomingRequest;
use spin_sdk::http::{IncomingRequest, IntoResponse, Request, Response};
use spin_sdk::{http_component, key_value, pg, sqlite, variables};
use wasi::http::{outgoing_handler, types};

#[http_component]
async fn handle(incoming: IncomingRequest) -> impl IntoResponse {
    // The SDK's own request type keeps one value a header name; a test wants to see all of them.
    let headers = incoming.headers().entries();
    let Ok(request) = Request::try_from_incoming_request(incoming).await else {
        return Response::new(400, "the body broke off");
    };
    let arguments = Arguments::of(&request);
    let answer = match request.path().rsplit('/').next().unwrap_or_default() {
        "key-value" => key_value(&arguments),
        "sqlite" => sqlite(&arguments, request.body()),
        "postgres" => postgres(&arguments, request.body()),
        "outbound" => outbound(&arguments),
        "variables" => variables::get(arguments.get("name"))
            .map(Value::from)
            .map_err(|error| format!("{error:?}")),
        "clock" => Ok(json!(unix_milliseconds())),
        "log" => {
            println!("{}", arguments.get("text"));
            Ok(Value::Null)
        }
        "trap" => panic!("asked to"),
        "loop" => loop {
            std::hint::black_box(());
        },
        _ => Ok(echo(&request, &headers)),
    };
    let body = match answer {
        Ok(value) => json!({ "ok": value }),
        Err(error) => json!({ "error": error }),
    };
    Response::builder()
        .status(200)
        .header("content-type", "application/json")
        .body(body.to_string())
        .build()
}

struct Arguments(HashMap<String, String>);

impl Arguments {
    fn of(request: &Request) -> Self {
        let pairs = request
            .query()
            .split('&')
            .filter_map(|pair| pair.split_once('='));
        Self(
            pairs
                .map(|(name, value)| (name.into(), percent_decoded(value)))
                .collect(),
        )
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    fn or<'a>(&'a self, name: &str, default: &'a str) -> &'a str {
        self.0.get(name).map_or(default, String::as_str)
    }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let digits = (byte == b'%').then(|| [rest.next(), rest.next()]);
        bytes.push(match digits {
            Some([Some(high), Some(low)]) => hex(high) << 4 | hex(low),
            _ => byte,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> u8 {
    (digit as char).to_digit(16).unwrap_or_default() as u8
}

fn echo(request: &Request, headers: &[(String, Vec<u8>)]) -> Value {
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| json!([name, String::from_utf8_lossy(value)]))
        .collect();
    json!({
        "method": request.method().to_string(),
        "uri": request.uri(),
        "path": request.path(),
        "headers": headers,
        "body_length": request.body().len(),
    })
}

fn unix_milliseconds() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |duration| duration.as_millis() as u64)
}

fn key_value(arguments: &Arguments) -> Result<Value, String> {
    let run = || -> Result<Value, key_value::Error> {
        let store = key_value::Store::open(arguments.or("store", "default"))?;
        let key = arguments.get("key");
        match arguments.get("operation") {
            "set" => store
                .set(key, arguments.get("value").as_bytes())
                .map(Value::from),
            "delete" => store.delete(key).map(Value::from),
            "exists" => store.exists(key).map(Value::from),
            "keys" => store.get_keys().map(Value::from),
            _ => Ok(json!(
                store
                    .get(key)?
                    .map(|value| String::from_utf8_lossy(&value).into_owned())
            )),
        }
    };
    run().map_err(|error| format!("{error:?}"))
}

/// A body is `{"statement": …, "parameters": [number, text, null …]}`.
fn statement_of(body: &[u8]) -> Result<(String, Vec<Value>), String> {
    let body: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let statement = body["statement"].as_str().unwrap_or_default().to_owned();
    Ok((
        statement,
        body["parameters"].as_array().cloned().unwrap_or_default(),
    ))
}

fn sqlite(arguments: &Arguments, body: &[u8]) -> Result<Value, String> {
    let (statement, parameters) = statement_of(body)?;
    let parameters: Vec<_> = parameters.iter().map(sqlite_value).collect();
    let connection = sqlite::Connection::open(arguments.or("database", "default"));
    let result = connection
        .and_then(|connection| connection.execute(&statement, &parameters))
        .map_err(|error| format!("{error:?}"))?;
    let rows: Vec<Value> = result
        .rows
        .iter()
        .map(|row| row.values.iter().map(json_of_sqlite).collect())
        .collect();
    Ok(json!({ "columns": result.columns, "rows": rows }))
}

fn sqlite_value(value: &Value) -> sqlite::Value {
    match value {
        Value::Null => sqlite::Value::Null,
        Value::Number(number) => match number.as_i64() {
            Some(integer) => sqlite::Value::Integer(integer),
            None => sqlite::Value::Real(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => sqlite::Value::Text(text.clone()),
        other => sqlite::Value::Blob(other.to_string().into_bytes()),
    }
}

fn json_of_sqlite(value: &sqlite::Value) -> Value {
    match value {
        sqlite::Value::Null => Value::Null,
        sqlite::Value::Integer(integer) => json!(integer),
        sqlite::Value::Real(real) => json!(real),
        sqlite::Value::Text(text) => json!(text),
        sqlite::Value::Blob(bytes) => json!({ "blob": bytes }),
    }
}

/// Queries where the query string says `query=1`, else executes and answers the number of rows.
fn postgres(arguments: &Arguments, body: &[u8]) -> Result<Value, String> {
    let (statement, parameters) = statement_of(body)?;
    let parameters: Vec<_> = parameters.iter().map(postgres_value).collect();
    let address = match arguments.get("address") {
        "" => variables::get("database_url").map_err(|error| format!("{error:?}"))?,
        address => address.to_owned(),
    };
    let run = || -> Result<Value, pg::Error> {
        let connection = pg::Connection::open(&address)?;
        if arguments.get("query").is_empty() {
            return Ok(json!(connection.execute(&statement, &parameters)?));
        }
        let set = connection.query(&statement, &parameters)?;
        let columns: Vec<_> = set
            .columns
            .iter()
            .map(|column| json!([column.name, format!("{:?}", column.data_type)]))
            .collect();
        let rows: Vec<Vec<String>> = set
            .rows
            .iter()
            .map(|row| row.iter().map(|value| format!("{value:?}")).collect())
            .collect();
        Ok(json!({ "columns": columns, "rows": rows }))
    };
    run().map_err(|error| format!("{error:?}"))
}

fn postgres_value(value: &Value) -> pg::ParameterValue {
    match value {
        Value::Bool(truth) => pg::ParameterValue::Boolean(*truth),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => pg::ParameterValue::Int64(integer),
            None => pg::ParameterValue::Floating64(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => pg::ParameterValue::Str(text.clone()),
        Value::Object(_) => pg::ParameterValue::Uint32(1),
        Value::Array(bytes) => pg::ParameterValue::Binary(
            bytes
                .iter()
                .map(|byte| byte.as_u64().unwrap_or_default() as u8)
                .collect(),
        ),
        Value::Null => pg::ParameterValue::DbNull,
    }
}

/// Fetches the URL; `first_byte_ms` limits the wait for the answer.
fn outbound(arguments: &Arguments) -> Result<Value, String> {
    let (scheme, rest) = arguments.get("url").split_once("://").ok_or("no scheme")?;
    let (authority, path) = match rest.find('/') {
        Some(start) => rest.split_at(start),
        None => (rest, "/"),
    };
    let scheme = if scheme == "https" {
        types::Scheme::Https
    } else {
        types::Scheme::Http
    };
    let request = types::OutgoingRequest::new(types::Fields::new());
    let prepared = request.set_scheme(Some(&scheme)).is_ok()
        && request.set_authority(Some(authority)).is_ok()
        && request.set_path_with_query(Some(path)).is_ok();
    if !prepared {
        return Err("not a URL".into());
    }
    let options = types::RequestOptions::new();
    if let Ok(milliseconds) = arguments.get("first_byte_ms").parse::<u64>() {
        let _ = options.set_first_byte_timeout(Some(milliseconds * 1_000_000));
    }
    fetch(request, options).map_err(|error| format!("{error:?}"))
}

fn fetch(
    request: types::OutgoingRequest,
    options: types::RequestOptions,
) -> Result<Value, types::ErrorCode> {
    let broken = || types::ErrorCode::InternalError(None);
    let future = outgoing_handler::handle(request, Some(options))?;
    future.subscribe().block();
    let response = future.get().ok_or_else(broken)?.map_err(|()| broken())??;
    let incoming = response.consume().map_err(|()| broken())?;
    let stream = incoming.stream().map_err(|()| broken())?;
    let mut body = Vec::new();
    while let Ok(chunk) = stream.blocking_read(65_536) {
        body.extend(chunk);
    }
    Ok(json!({ "status": response.status(), "body": String::from_utf8_lossy(&body) }))
}
