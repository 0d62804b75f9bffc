//! The interface `postgres`: a pool of connections for each address, and Spin's mapping of types and
//! errors. Without TLS.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use tokio_postgres::config::{Host as Address, SslMode};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, private::BytesMut, to_sql_checked};
use tokio_postgres::{Config, NoTls, Row};
use wasmtime::component::Resource;

use crate::faults::Capability;
use crate::outbound::AllowedHosts;
use crate::platform::Instance;
use crate::platform::bindings::fermyon::spin::postgres::{Host, HostConnection};
use crate::platform::bindings::fermyon::spin::rdbms_types::{
    self, Column, DbDataType, DbValue, Error, ParameterValue, RowSet,
};

/// Connections that an address can have at once.
const POOL_SIZE: usize = 64;

type Parameter = Box<dyn ToSql + Send + Sync>;

/// The pools, by connection string.
#[derive(Default)]
pub struct Pools(Mutex<HashMap<String, Pool>>);

/// A component's connection: goes back to its pool when the component drops it or ends.
pub struct Connection(Object);

impl Pools {
    async fn connect(&self, address: &str, hosts: &AllowedHosts) -> Result<Connection, Error> {
        let config: Config = address
            .parse()
            .map_err(|error: tokio_postgres::Error| Error::ConnectionFailed(error.to_string()))?;
        check_hosts(&config, hosts)?;
        let pool = self.pool(address, config)?;
        let connection = pool
            .get()
            .await
            .map_err(|error| Error::ConnectionFailed(format!("{error:?}")))?;
        Ok(Connection(connection))
    }

    fn pool(&self, address: &str, config: Config) -> Result<Pool, Error> {
        if config.get_ssl_mode() == SslMode::Require {
            return Err(Error::ConnectionFailed(
                "sslmode=require: this host has no TLS to PostgreSQL".to_owned(),
            ));
        }
        let mut pools = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = pools.get(address) {
            return Ok(pool.clone());
        }
        let recycling = ManagerConfig {
            recycling_method: RecyclingMethod::Clean,
        };
        let pool = Pool::builder(Manager::from_config(config, NoTls, recycling))
            .max_size(POOL_SIZE)
            .build()
            .map_err(|error| Error::ConnectionFailed(format!("{error:?}")))?;
        pools.insert(address.to_owned(), pool.clone());
        Ok(pool)
    }
}

/// A connection string can name several hosts: each must be allowed.
fn check_hosts(config: &Config, hosts: &AllowedHosts) -> Result<(), Error> {
    for (index, host) in config.get_hosts().iter().enumerate() {
        let Address::Tcp(host) = host else {
            return Err(Error::ConnectionFailed(
                "Unix sockets are not supported on WebAssembly".to_owned(),
            ));
        };
        let port = match config.get_ports() {
            [] => String::new(),
            [only] => format!(":{only}"),
            several => several
                .get(index)
                .map(|port| format!(":{port}"))
                .unwrap_or_default(),
        };
        let address = format!("{host}{port}");
        if !hosts.allows(&address, "postgres") {
            return Err(Error::ConnectionFailed(format!(
                "address postgres://{address} is not permitted"
            )));
        }
    }
    Ok(())
}

impl Connection {
    async fn execute(
        &self,
        statement: &str,
        parameters: Vec<ParameterValue>,
    ) -> Result<u64, Error> {
        let parameters = to_parameters(parameters)?;
        let parameters: Vec<&(dyn ToSql + Sync)> = parameters
            .iter()
            .map(|parameter| &**parameter as &(dyn ToSql + Sync))
            .collect();
        self.0
            .execute(statement, &parameters)
            .await
            .map_err(query_failed)
    }

    async fn query(
        &self,
        statement: &str,
        parameters: Vec<ParameterValue>,
    ) -> Result<RowSet, Error> {
        let parameters = to_parameters(parameters)?;
        let parameters: Vec<&(dyn ToSql + Sync)> = parameters
            .iter()
            .map(|parameter| &**parameter as &(dyn ToSql + Sync))
            .collect();
        let rows = self
            .0
            .query(statement, &parameters)
            .await
            .map_err(query_failed)?;
        // Spin takes the columns from the first row, so an empty answer has none.
        let columns = rows.first().map(columns_of).unwrap_or_default();
        let rows = rows.iter().map(values_of).collect::<Result<_, _>>();
        Ok(RowSet {
            columns,
            rows: rows.map_err(query_failed)?,
        })
    }
}

/// What Spin hands to a component of a failed query: the error's debug form.
fn query_failed(error: tokio_postgres::Error) -> Error {
    Error::QueryFailed(format!("{error:?}"))
}

fn to_parameters(values: Vec<ParameterValue>) -> Result<Vec<Parameter>, Error> {
    values.into_iter().map(to_parameter).collect()
}

fn to_parameter(value: ParameterValue) -> Result<Parameter, Error> {
    Ok(match value {
        ParameterValue::Boolean(value) => Box::new(value),
        ParameterValue::Int8(value) => Box::new(value),
        ParameterValue::Int16(value) => Box::new(value),
        ParameterValue::Int32(value) => Box::new(value),
        ParameterValue::Int64(value) => Box::new(value),
        ParameterValue::Floating32(value) => Box::new(value),
        ParameterValue::Floating64(value) => Box::new(value),
        ParameterValue::Str(value) => Box::new(value),
        ParameterValue::Binary(value) => Box::new(value),
        ParameterValue::DbNull => Box::new(Null),
        ParameterValue::Uint8(_)
        | ParameterValue::Uint16(_)
        | ParameterValue::Uint32(_)
        | ParameterValue::Uint64(_) => {
            return Err(Error::ValueConversionFailed(
                "Postgres does not support unsigned integers".to_owned(),
            ));
        }
    })
}

/// NULL of whatever type the statement wants.
#[derive(Debug)]
struct Null;

impl ToSql for Null {
    fn to_sql(
        &self,
        _: &Type,
        _: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        Ok(IsNull::Yes)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A value of a type that the interface has no word for.
struct Unsupported;

impl FromSql<'_> for Unsupported {
    fn from_sql(_: &Type, _: &[u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn columns_of(row: &Row) -> Vec<Column> {
    row.columns()
        .iter()
        .map(|column| Column {
            name: column.name().to_owned(),
            data_type: data_type(column.type_()),
        })
        .collect()
}

fn data_type(column: &Type) -> DbDataType {
    match *column {
        Type::BOOL => DbDataType::Boolean,
        Type::INT2 => DbDataType::Int16,
        Type::INT4 => DbDataType::Int32,
        Type::INT8 => DbDataType::Int64,
        Type::FLOAT4 => DbDataType::Floating32,
        Type::FLOAT8 => DbDataType::Floating64,
        Type::TEXT | Type::VARCHAR | Type::BPCHAR => DbDataType::Str,
        Type::BYTEA => DbDataType::Binary,
        _ => DbDataType::Other,
    }
}

fn values_of(row: &Row) -> Result<Vec<DbValue>, tokio_postgres::Error> {
    (0..row.len()).map(|index| value_of(row, index)).collect()
}

fn value_of(row: &Row, index: usize) -> Result<DbValue, tokio_postgres::Error> {
    fn read<'a, T: FromSql<'a>>(
        row: &'a Row,
        index: usize,
        value: impl FnOnce(T) -> DbValue,
    ) -> Result<DbValue, tokio_postgres::Error> {
        Ok(row
            .try_get::<_, Option<T>>(index)?
            .map_or(DbValue::DbNull, value))
    }
    match data_type(row.columns()[index].type_()) {
        DbDataType::Boolean => read(row, index, DbValue::Boolean),
        DbDataType::Int16 => read(row, index, DbValue::Int16),
        DbDataType::Int32 => read(row, index, DbValue::Int32),
        DbDataType::Int64 => read(row, index, DbValue::Int64),
        DbDataType::Floating32 => read(row, index, DbValue::Floating32),
        DbDataType::Floating64 => read(row, index, DbValue::Floating64),
        DbDataType::Str => read(row, index, DbValue::Str),
        DbDataType::Binary => read(row, index, DbValue::Binary),
        _ => read(row, index, |Unsupported| DbValue::Unsupported),
    }
}

impl Host for Instance {}
impl rdbms_types::Host for Instance {}

impl HostConnection for Instance {
    async fn open(
        &mut self,
        address: String,
    ) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        let guard = self.guard(Capability::Postgres, "open");
        let open = async move {
            let connection = self
                .platform
                .postgres
                .connect(&address, &self.grants.hosts)
                .await?;
            self.table
                .push(connection)
                .map_err(|_| Error::ConnectionFailed("too many connections".to_owned()))
        };
        Ok(guard.run(Error::ConnectionFailed, open).await?)
    }

    async fn query(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<RowSet, Error>> {
        let guard = self.guard(Capability::Postgres, "query");
        let query = async move {
            self.connection(&connection)?
                .query(&statement, parameters)
                .await
        };
        Ok(guard.run(Error::QueryFailed, query).await?)
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<u64, Error>> {
        let guard = self.guard(Capability::Postgres, "execute");
        let execute = async move {
            self.connection(&connection)?
                .execute(&statement, parameters)
                .await
        };
        Ok(guard.run(Error::QueryFailed, execute).await?)
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

impl Instance {
    fn connection(&self, connection: &Resource<Connection>) -> Result<&Connection, Error> {
        self.table
            .get(connection)
            .map_err(|_| Error::ConnectionFailed("no connection found".to_owned()))
    }
}
