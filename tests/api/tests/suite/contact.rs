//! `GET /v1/contact`

use api_tests::{App, on_both_engines};
use serde_json::json;

on_both_engines! {
    // clause K1
    fn the_contact_is_the_policys(app: App) {
        let answer = app.request("GET", "/v1/contact").send().expect(200);
        assert_eq!(answer.json, json!({
            "company": "厦门聚仁脉网络科技有限公司",
            "address": "厦门市思明区宜兰路99号2504室之九",
            "email": "jsdclub@163.com",
            "telephone": "15392297910",
            "answered_within_working_days": 15,
        }));
        let policy = app.request("GET", "/v1/policy/text").send_unchecked().expect(200);
        let policy = String::from_utf8_lossy(&policy.body).into_owned();
        for member in ["company", "email", "telephone"] {
            assert!(policy.contains(&answer.text(&format!("/{member}"))), "{member}");
        }
    }
}
