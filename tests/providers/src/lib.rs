//! Stand-ins for the third parties that the application talks to. Each checks what it is sent as strictly
//! as the provider documents it, answers as the provider does, and can misbehave on order.
//!
//! All of them are a [`StandIn`], which has what they share: the address, the clock, the misbehaviour and
//! the list of refusals. They share no code with the application, since they check it.

pub mod alipay;
mod aliyun;
pub mod aliyun_mail;
pub mod aliyun_sms;
pub mod apple;
mod encoding;
mod http;
pub mod keys;
pub mod oss;
pub mod relay;
mod rsa;
mod stand_in;
pub mod webhook;
pub mod wechat_pay;

pub use http::Request;
pub use stand_in::{Behaviour, Provider, Refusal, StandIn};
