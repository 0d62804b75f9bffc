//! Every order is credited once, however often, in whatever order and to however many at once it is told, and
//! whenever the host is killed. `scripts/exactly-once` runs the same with more of everything.

use std::collections::VecDeque;
use std::env;
use std::sync::{Mutex, RwLock, mpsc};
use std::thread;
use std::time::Instant;

use api_tests::{Answer, App, Builder, Person, on_both_engines};
use provider_stand_ins::wechat_pay::WechatPay;

use crate::identity::FORM;
use crate::payment::{COINS, Shop, customer, ledger_holds, number, open, order, wallet};

/// How much of everything.
struct Size {
    orders: usize,
    /// Notifications of each order.
    copies: usize,
    connections: usize,
    kills: usize,
}

impl Size {
    /// From `EXACTLY_ONCE`, four numbers; a few of everything without it.
    fn wanted() -> Self {
        let text = env::var("EXACTLY_ONCE").unwrap_or_else(|_| "45 6 16 3".to_owned());
        let numbers: Vec<usize> = text
            .split(' ')
            .map(|number| number.parse().expect("EXACTLY_ONCE: a number"))
            .collect();
        let [orders, copies, connections, kills] = numbers[..] else {
            panic!("EXACTLY_ONCE: orders, copies, connections, kills");
        };
        // A refund's news are the third that some orders have.
        assert!(copies >= 3, "EXACTLY_ONCE: three copies at least");
        Self {
            orders,
            copies,
            connections,
            kills,
        }
    }
}

/// What an order's institution posts, again and again.
enum Told {
    /// Forms; Alipay tells of a payment in two ways, and of a refund in a third.
    Alipay(Vec<String>),
    /// WeChat signs anew each time.
    Wechat(String),
    /// Bodies: of a purchase, and of its refund.
    Apple(Vec<String>),
}

impl Told {
    fn post(&self, app: &App, wechat: &WechatPay, copy: usize) -> Result<Answer, String> {
        match self {
            Self::Alipay(forms) => app
                .request("POST", "/v1/callbacks/alipay/payment")
                .body(FORM, forms[copy % forms.len()].clone())
                .try_send(),
            Self::Wechat(number) => {
                let post = wechat.payment_notification(number).post();
                let headers = post
                    .headers
                    .iter()
                    .filter(|(name, _)| *name != "content-type");
                headers
                    .fold(
                        app.request("POST", "/v1/callbacks/wechat/payment"),
                        |request, (name, value)| request.header(name, value),
                    )
                    .body("application/json", post.body.clone())
                    .try_send()
            }
            Self::Apple(bodies) => app
                .request("POST", "/v1/callbacks/apple")
                .body("application/json", bodies[copy % bodies.len()].clone())
                .try_send(),
        }
    }
}

/// Whether the order whose turn it is is given back: told of among its payment's notifications, and first as often
/// as not.
fn is_given_back(turn: usize) -> bool {
    turn % 3 != 1 && turn.is_multiple_of(4)
}

/// Somebody pays an order by the institution whose turn it is.
fn paid(shop: &Shop, person: &Person, turn: usize) -> Told {
    let channel = ["alipay-app", "wechat-app", "apple"][turn % 3];
    let ordered = order(&shop.app, person, channel).expect(201);
    let number = number(&ordered);
    match channel {
        "alipay-app" => {
            let string = ordered.text("/pay/order_string");
            shop.alipay.check_order_string(&string).expect("valid");
            shop.alipay.pay(&number).expect("it can be paid");
            let mut forms = vec![shop.alipay.trade_notification(&number).form()];
            if is_given_back(turn) {
                let given_back = shop
                    .alipay
                    .trade_notification(&number)
                    .with("trade_status", "TRADE_CLOSED")
                    .with("refund_fee", "6.00")
                    .with("gmt_refund", "2026-11-24 10:00:00")
                    .with("out_biz_no", "console");
                forms.push(given_back.form());
            }
            shop.alipay.finish(&number);
            forms.push(shop.alipay.trade_notification(&number).form());
            Told::Alipay(forms)
        }
        "wechat-app" => {
            shop.wechat.pay(&number);
            Told::Wechat(number)
        }
        _ => {
            let product = ordered.text("/pay/product_id");
            let transaction = shop.apple.buy(&product, Some(&ordered.text("/id")));
            let told = |name: &str| shop.apple.notification(name, &transaction).body();
            let mut bodies = vec![told("ONE_TIME_CHARGE")];
            if is_given_back(turn) {
                shop.apple.refund(&transaction);
                bodies.push(told("REFUND"));
            }
            Told::Apple(bodies)
        }
    }
}

on_both_engines! {
    // clause E15
    [stand_in] fn every_order_is_credited_once(builder: Builder) {
        let size = Size::wanted();
        let shop = open(builder);
        let people: Vec<_> = (0..20).map(|_| customer(&shop.app)).collect();
        let tolds: Vec<_> = (0..size.orders)
            .map(|turn| paid(&shop, &people[turn % people.len()], turn))
            .collect();
        let mut deliveries: Vec<_> = (0..size.orders)
            .flat_map(|order| (0..size.copies).map(move |copy| (order, copy)))
            .collect();
        fastrand::shuffle(&mut deliveries);
        let mut moments: VecDeque<_> = (0..size.kills)
            .map(|_| fastrand::usize(1..deliveries.len()))
            .collect();
        moments.make_contiguous().sort_unstable();

        let (count, started) = (deliveries.len(), Instant::now());
        let queue = Mutex::new(deliveries);
        let Shop { app, wechat, .. } = shop;
        let app = RwLock::new(app);
        let (done, dones) = mpsc::channel();
        thread::scope(|scope| {
            for _ in 0..size.connections {
                let done = done.clone();
                scope.spawn(|| {
                    let done = done;
                    loop {
                        let next = queue.lock().expect("no panic").pop();
                        let Some((order, copy)) = next else { break };
                        // As the institution does: until it is taken.
                        loop {
                            let app = app.read().expect("no panic");
                            match tolds[order].post(&app, &wechat, copy) {
                                Ok(answer) if answer.status < 300 => break,
                                Ok(answer) => assert!(answer.status >= 500, "{answer:?}"),
                                Err(_) => {}
                            }
                        }
                        done.send(()).expect("somebody counts");
                    }
                });
            }
            drop(done);
            for (taken, ()) in dones.iter().enumerate() {
                while moments.front().is_some_and(|moment| taken >= *moment) {
                    moments.pop_front();
                    app.read().expect("no panic").kill();
                    app.write().expect("no panic").restart(&[]);
                }
            }
        });
        assert!(moments.is_empty(), "not killed often enough");
        println!(
            "{count} notifications of {} orders from {} connections, killed {} times: {:.1} s",
            size.orders, size.connections, size.kills, started.elapsed().as_secs_f64(),
        );

        let app = app.into_inner().expect("no panic");
        let orders = i64::try_from(size.orders).expect("few");
        let given_back = (0..size.orders).filter(|turn| is_given_back(*turn)).count();
        let given_back = i64::try_from(given_back).expect("few");
        let count = |what: &str| app.database().count(&format!("SELECT COUNT(*) FROM {what}"));
        assert_eq!(count("orders WHERE status = 'paid'"), orders);
        assert_eq!(count("ledger WHERE kind = 'top-up'"), orders);
        assert_eq!(count("ledger WHERE kind = 'refund'"), given_back);
        assert_eq!(count("payment_anomalies"), 0);
        let coins: i64 = people.iter().map(|person| wallet(&app, person).0).sum();
        assert_eq!(coins, (orders - given_back) * COINS);
        ledger_holds(&app);
        let (is_content, said) = app.ledger_check_at("2 minutes");
        assert!(is_content, "{said}");
        println!("{said}");
    }
}
