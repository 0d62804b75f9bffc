//! Stand-ins for the third parties that the application talks to. Each checks what it is sent as strictly
//! as the provider documents it, answers as the provider does, and can misbehave on order.

pub mod aliyun_sms;
mod http;
