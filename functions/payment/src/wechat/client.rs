//! What the app and the web page need to call the payment up: parameters that carry our signature. A
//! `prepay_id` lives two hours.

use rand_core::CryptoRng;
use serde::Serialize;
use shared::time::Timestamp;
use shared::variables::Misconfigured;
use utoipa::ToSchema;

use super::Merchant;
use super::signature::{nonce, seconds};

/// The parameters of the mobile SDK's `PayReq`, as `services/payments/app` of `wechatpay-go` names them.
#[derive(Debug, Serialize, ToSchema)]
pub struct AppParameters {
    /// Our app at WeChat.
    pub appid: String,
    /// The merchant.
    pub partnerid: String,
    /// The `prepay_id`.
    pub prepayid: String,
    /// Always `Sign=WXPay`.
    pub package: String,
    /// What makes the signature differ from others.
    pub noncestr: String,
    /// Seconds since 1970.
    pub timestamp: String,
    /// Our signature.
    pub sign: String,
}

/// The parameters of `WeixinJSBridge`'s `getBrandWCPayRequest`, as `services/payments/jsapi` of
/// `wechatpay-go` names them.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JsapiParameters {
    /// Our official account at WeChat.
    pub app_id: String,
    /// Seconds since 1970.
    pub time_stamp: String,
    /// What makes the signature differ from others.
    pub nonce_str: String,
    /// `prepay_id=` and the `prepay_id`.
    pub package: String,
    /// Always `RSA`.
    pub sign_type: String,
    /// Our signature.
    pub pay_sign: String,
}

impl Merchant {
    /// Calls the payment up in the mobile app. `rng` makes the nonce and blinds the signing.
    ///
    /// # Errors
    /// The private key cannot be used.
    pub fn app_parameters(
        &self,
        prepay_id: &str,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<AppParameters, Misconfigured> {
        let timestamp = seconds(now).to_string();
        let noncestr = nonce(rng);
        let sign = self.sign(&[&self.appid, &timestamp, &noncestr, prepay_id], rng)?;
        Ok(AppParameters {
            appid: self.appid.clone(),
            partnerid: self.mchid.clone(),
            prepayid: prepay_id.to_owned(),
            package: "Sign=WXPay".to_owned(),
            noncestr,
            timestamp,
            sign,
        })
    }

    /// Calls the payment up in a web page within WeChat. `rng` makes the nonce and blinds the signing.
    ///
    /// # Errors
    /// The private key cannot be used, or there is no official account.
    pub fn jsapi_parameters(
        &self,
        prepay_id: &str,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<JsapiParameters, Misconfigured> {
        let app_id = self.jsapi_appid()?.to_owned();
        let time_stamp = seconds(now).to_string();
        let nonce_str = nonce(rng);
        let package = format!("prepay_id={prepay_id}");
        let pay_sign = self.sign(&[&app_id, &time_stamp, &nonce_str, &package], rng)?;
        Ok(JsapiParameters {
            app_id,
            time_stamp,
            nonce_str,
            package,
            sign_type: "RSA".to_owned(),
            pay_sign,
        })
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::{Value, json};
    use shared::crypto::rsa::PublicKey;
    use shared::random;

    use super::super::JSAPI_APPID;
    use super::super::tests::{MERCHANT_PUBLIC, NOW, configured_with, merchant};

    const PREPAY_ID: &str = "wx201410272009395522657a690389285100";

    fn verify(text: &str, signature: &Value) {
        let signature = STANDARD.decode(signature.as_str().unwrap()).unwrap();
        let key = PublicKey::from_text(MERCHANT_PUBLIC).unwrap();
        assert_eq!(key.verify(text.as_bytes(), &signature), Ok(()));
    }

    #[test]
    fn the_app_gets_what_its_sdk_takes() {
        let parameters = merchant().app_parameters(PREPAY_ID, NOW, &mut random::host());
        let mut parameters = serde_json::to_value(parameters.unwrap()).unwrap();
        let nonce = parameters["noncestr"].as_str().unwrap().to_owned();
        let text = format!("wx8888888888888888\n1624523846\n{nonce}\n{PREPAY_ID}\n");
        verify(&text, &parameters["sign"].take());
        let expected = json!({
            "appid": "wx8888888888888888",
            "partnerid": "1900000001",
            "prepayid": PREPAY_ID,
            "package": "Sign=WXPay",
            "noncestr": nonce,
            "timestamp": "1624523846",
            "sign": null,
        });
        assert_eq!(parameters, expected);
    }

    #[test]
    fn the_page_gets_what_the_bridge_takes() {
        let parameters = merchant().jsapi_parameters(PREPAY_ID, NOW, &mut random::host());
        let mut parameters = serde_json::to_value(parameters.unwrap()).unwrap();
        let nonce = parameters["nonceStr"].as_str().unwrap().to_owned();
        let text = format!("wxd678efh567hg6787\n1624523846\n{nonce}\nprepay_id={PREPAY_ID}\n");
        verify(&text, &parameters["paySign"].take());
        let expected = json!({
            "appId": "wxd678efh567hg6787",
            "timeStamp": "1624523846",
            "nonceStr": nonce,
            "package": format!("prepay_id={PREPAY_ID}"),
            "signType": "RSA",
            "paySign": null,
        });
        assert_eq!(parameters, expected);
        let without = configured_with(&[(JSAPI_APPID, "")]).unwrap();
        let error = without.jsapi_parameters(PREPAY_ID, NOW, &mut random::host());
        assert_eq!(error.unwrap_err().variable, JSAPI_APPID);
    }
}
