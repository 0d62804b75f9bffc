//! Notifications through the whole stack.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use provider_stand_ins::alipay::{Alipay, SELLER_ID};
use provider_stand_ins::apple::{AppStore, Form};
use provider_stand_ins::wechat_pay::{Form as WechatForm, WechatPay};
use serde::Serialize;
use serde_json::{Value, json};
use ureq::Agent;

use crate::host::Host;
use crate::load::agent;
use crate::verification::APP_ID;

const CONNECTIONS: usize = 16;
/// Orders that are paid at once, and one after the other.
const AT_ONCE: usize = 320;
const ALONE: usize = 60;
const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";
const BUYERS: usize = 40;

/// What was measured of one institution.
#[derive(Serialize)]
pub struct Row {
    pub institution: &'static str,
    /// Notifications verified and credited a second.
    pub per_second: f64,
    /// The median of one, with one connection.
    pub p50_ms: f64,
    /// A forgery, refused at the last signature, less a request that finds no route.
    pub cryptography_ms: f64,
}

/// A request to the application.
struct Post {
    path: &'static str,
    headers: Vec<(&'static str, String)>,
    body: String,
}

struct Shop {
    app: Host,
    alipay: Alipay,
    wechat: WechatPay,
    apple: AppStore,
    tokens: Vec<String>,
}

/// Each institution's notifications.
///
/// # Errors
/// The application does not do as it should.
pub fn measure() -> Result<Vec<Row>> {
    let state = tempfile::tempdir()?;
    crate::prepare(&state.path().join("sqlite_db.db"))?;
    let shop = Shop::open(state.path())?;
    ["alipay-app", "wechat-app", "apple"]
        .into_iter()
        .map(|channel| shop.row(channel))
        .collect()
}

impl Shop {
    fn open(state: &Path) -> Result<Self> {
        let (alipay, wechat, apple) =
            (Alipay::start(APP_ID), WechatPay::start(), AppStore::start());
        let wechats = wechat.variables("https://api.example.cn/v1/callbacks/wechat/payment");
        let apples = apple.variables();
        let mut variables = crate::APP_VARIABLES.to_vec();
        variables.extend(crate::verification::variables(&alipay));
        variables.push(("alipay_seller_id", SELLER_ID));
        variables.push(("alipay_notify_url", "https://api.example.cn/alipay"));
        let others = wechats.iter().chain(&apples);
        variables.extend(others.map(|(name, value)| (*name, value.as_str())));
        let app = Host::start(Path::new("spin.toml"), state, &variables)?;
        let mut tokens = Vec::new();
        for buyer in 0..BUYERS {
            tokens.push(
                crate::log_in(&app, &agent(), &format!("139{buyer:08}"))?["token"]
                    .as_str()
                    .context("no token")?
                    .to_owned(),
            );
        }
        let shop = Self {
            app,
            alipay,
            wechat,
            apple,
            tokens,
        };
        for token in &shop.tokens {
            shop.complete(token)?;
        }
        Ok(shop)
    }

    fn complete(&self, token: &str) -> Result<()> {
        let profile = json!({
            "avatar": "https://example.com/a.png", "gender": "female", "real_name": "林小满",
            "company": "厦门满山科技有限公司", "job_title": "创始人",
        });
        let answer = agent()
            .patch(format!("{}/v1/profile", self.app.url))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/merge-patch+json")
            .send(profile.to_string())?;
        ensure!(answer.status() == 200, "profile: {}", answer.status());
        Ok(())
    }

    fn row(&self, channel: &'static str) -> Result<Row> {
        let notifications: Vec<_> = (0..AT_ONCE + ALONE)
            .map(|turn| self.paid(channel, turn))
            .collect::<Result<_>>()?;
        let (at_once, alone) = notifications.split_at(AT_ONCE);
        let per_second = self.all_at_once(at_once);
        let agent = agent();
        let p50_ms = median(
            alone
                .iter()
                .map(|post| self.timed(&agent, post, &[200, 204])),
        );
        let forgery = self.forgery(channel)?;
        let nowhere = Post {
            path: "/v1/orders/a/b/c",
            headers: Vec::new(),
            body: forgery.body.clone(),
        };
        let many = |post: &Post, status: &[u16]| {
            median((0..ALONE).map(|_| self.timed(&agent, post, status)))
        };
        Ok(Row {
            institution: match channel {
                "alipay-app" => "Alipay: RSA-2048",
                "wechat-app" => "WeChat Pay: RSA-2048, AES-256-GCM",
                _ => "Apple: two chains, P-384 and P-256",
            },
            per_second,
            p50_ms,
            cryptography_ms: many(&forgery, &[400]) - many(&nowhere, &[404]),
        })
    }

    fn all_at_once(&self, posts: &[Post]) -> f64 {
        let next = AtomicUsize::new(0);
        let started = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..CONNECTIONS {
                scope.spawn(|| {
                    let agent = agent();
                    while let Some(post) = posts.get(next.fetch_add(1, Ordering::Relaxed)) {
                        self.timed(&agent, post, &[200, 204]);
                    }
                });
            }
        });
        posts.len() as f64 / started.elapsed().as_secs_f64()
    }

    /// How many milliseconds it took.
    fn timed(&self, agent: &Agent, post: &Post, expected: &[u16]) -> f64 {
        let started = Instant::now();
        let mut request = agent.post(format!("{}{}", self.app.url, post.path));
        for (name, value) in &post.headers {
            request = request.header(*name, value);
        }
        let mut answer = request.send(post.body.as_str()).expect("an answer");
        let body = answer.body_mut().read_to_string().expect("a body");
        let status = answer.status().as_u16();
        assert!(expected.contains(&status), "{}: {status} {body}", post.path);
        started.elapsed().as_secs_f64() * 1000.0
    }

    /// An order that was paid, and what its institution says of it.
    fn paid(&self, channel: &str, turn: usize) -> Result<Post> {
        let ordered = self.order(channel, turn)?;
        let id = ordered["id"].as_str().context("no id")?;
        let number = id.replace('-', "");
        Ok(match channel {
            "alipay-app" => {
                let string = ordered["pay"]["order_string"]
                    .as_str()
                    .context("no string")?;
                let checked = self.alipay.check_order_string(string);
                checked.map_err(|code| anyhow::anyhow!("order string: {code}"))?;
                let paid = self.alipay.pay(&number);
                paid.map_err(|code| anyhow::anyhow!("payment: {code}"))?;
                alipay(self.alipay.trade_notification(&number).form())
            }
            "wechat-app" => {
                self.wechat.pay(&number);
                wechat(&self.wechat.payment_notification(&number).post())
            }
            _ => {
                let product = ordered["pay"]["product_id"]
                    .as_str()
                    .context("no product")?;
                let transaction = self.apple.buy(product, Some(id));
                let told = self.apple.notification("ONE_TIME_CHARGE", &transaction);
                apple(told.body())
            }
        })
    }

    /// What is refused only after all of the cryptography.
    fn forgery(&self, channel: &str) -> Result<Post> {
        let id = self.order(channel, 0)?["id"]
            .as_str()
            .context("no id")?
            .to_owned();
        let number = id.replace('-', "");
        Ok(match channel {
            "alipay-app" => {
                let ordered = self.order(channel, 0)?;
                let string = ordered["pay"]["order_string"]
                    .as_str()
                    .context("no string")?;
                let order = self.alipay.check_order_string(string);
                let order = order.map_err(|code| anyhow::anyhow!("order string: {code}"))?;
                self.alipay
                    .pay(&order.out_trade_no)
                    .map_err(|code| anyhow::anyhow!("{code}"))?;
                let told = self.alipay.trade_notification(&order.out_trade_no);
                alipay(told.tampered("total_amount", "0.01").form())
            }
            "wechat-app" => {
                self.wechat.pay(&number);
                let told = self.wechat.payment_notification(&number);
                wechat(&told.signed(WechatForm::OtherText).post())
            }
            _ => {
                let transaction = self.apple.buy("com.chuangrenmai.coins.60", Some(&id));
                let told = self.apple.notification("ONE_TIME_CHARGE", &transaction);
                apple(told.with_transaction_signed(Form::OtherText).body())
            }
        })
    }

    fn order(&self, channel: &str, turn: usize) -> Result<Value> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let token = &self.tokens[turn % self.tokens.len()];
        let key = NEXT.fetch_add(1, Ordering::Relaxed).to_string();
        let mut answer = agent()
            .post(format!("{}/v1/orders", self.app.url))
            .header("authorization", format!("Bearer {token}"))
            .header("idempotency-key", key)
            .header("content-type", "application/json")
            .send(json!({ "package": "coins-60", "channel": channel }).to_string())?;
        ensure!(answer.status() == 201, "order: {}", answer.status());
        Ok(serde_json::from_str(&answer.body_mut().read_to_string()?)?)
    }
}

fn alipay(form: String) -> Post {
    Post {
        path: "/v1/callbacks/alipay/payment",
        headers: vec![("content-type", FORM.to_owned())],
        body: form,
    }
}

fn wechat(post: &provider_stand_ins::wechat_pay::Post) -> Post {
    Post {
        path: "/v1/callbacks/wechat/payment",
        headers: post.headers.clone(),
        body: post.body.clone(),
    }
}

fn apple(body: String) -> Post {
    Post {
        path: "/v1/callbacks/apple",
        headers: vec![("content-type", "application/json".to_owned())],
        body,
    }
}

fn median(times: impl Iterator<Item = f64>) -> f64 {
    let mut times: Vec<_> = times.collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
