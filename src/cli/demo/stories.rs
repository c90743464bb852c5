//! The incidents of `demo`, told by hand. No real account, person, company or secret is behind any of them.

use serde_json::{Value, json};

use crate::model::History;
use crate::model::builder::{HistoryBuilder, history, milliseconds, minutes, seconds};

/// How the files of an incident are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One document with description, events and definition.
    Bundle,
    /// A folder with the output of two AWS CLI commands.
    CliFolder,
    /// A bundle a line, compressed.
    JsonLinesGzip,
}

/// One incident.
pub struct Story {
    /// Of its file or folder, without an extension.
    pub name: &'static str,
    /// What it is about.
    pub tells: &'static str,
    pub form: Form,
    pub histories: Vec<History>,
}

/// Every incident, in the order in which they are listed.
pub fn all() -> Vec<Story> {
    vec![
        Story {
            name: "retries-exhausted",
            tells: "a Lambda task failed three times",
            form: Form::Bundle,
            histories: vec![retries_exhausted()],
        },
        Story {
            name: "caught-then-failed",
            tells: "a caught failure led to a Fail state",
            form: Form::Bundle,
            histories: vec![caught_then_failed()],
        },
        Story {
            name: "map-iteration-failed",
            tells: "one item of a Map failed, its siblings were aborted",
            form: Form::Bundle,
            histories: vec![map_iteration_failed()],
        },
        Story {
            name: "nested-execution",
            tells: "a nested execution failed; both are in the file",
            form: Form::JsonLinesGzip,
            histories: nested_execution(),
        },
        Story {
            name: "runtime-error-in-parallel",
            tells: "a path that was not there, in a branch of a Parallel",
            form: Form::Bundle,
            histories: vec![runtime_error_in_parallel()],
        },
        Story {
            name: "stuck-callback",
            tells: "still running: nobody answers its task token",
            form: Form::CliFolder,
            histories: vec![stuck_callback()],
        },
        Story { name: "heartbeat-timeout", tells: "a worker fell silent", form: Form::Bundle, histories: vec![heartbeat_timeout()] },
        Story {
            name: "polling-timed-out",
            tells: "a polling loop ran into the time limit of the execution",
            form: Form::Bundle,
            histories: vec![polling_timed_out()],
        },
        Story {
            name: "swallowed-failures",
            tells: "succeeded, but failures were swallowed",
            form: Form::Bundle,
            histories: vec![swallowed_failures()],
        },
        Story { name: "redriven", tells: "failed, was redriven and succeeded", form: Form::Bundle, histories: vec![redriven()] },
    ]
}

const LAMBDA: &str = "arn:aws:states:::lambda:invoke";

fn lambda(function: &str, next: &str) -> Value {
    json!({"Type": "Task", "Resource": LAMBDA, "Parameters": {"FunctionName": function, "Payload.$": "$"}, "OutputPath": "$.Payload", "Next": next})
}

fn last_lambda(function: &str) -> Value {
    json!({"Type": "Task", "Resource": LAMBDA, "Parameters": {"FunctionName": function, "Payload.$": "$"}, "OutputPath": "$.Payload", "End": true})
}

/// `value` with further members.
fn with(mut value: Value, members: Value) -> Value {
    if let (Value::Object(object), Value::Object(members)) = (&mut value, members) {
        object.extend(members);
    }
    value
}

fn invoke(function: &str, payload: &Value) -> Value {
    json!({"FunctionName": function, "Payload": payload})
}

fn answered(payload: &Value) -> Value {
    json!({"ExecutedVersion": "$LATEST", "Payload": payload, "SdkHttpMetadata": {"HttpStatusCode": 200}, "StatusCode": 200})
}

/// A Lambda task that gets through at once.
fn lambda_succeeds(scope: &mut HistoryBuilder, state: &str, function: &str, input: &Value, output: &Value, takes: u64) {
    scope.after(milliseconds(12)).enter_task(state, input).scheduled_with(invoke(function, input));
    scope.after(milliseconds(31)).started().after(milliseconds(takes));
    scope.succeeded(answered(output)).exit(output);
}

/// One attempt of a Lambda task that fails.
fn lambda_fails(scope: &mut HistoryBuilder, function: &str, input: &Value, takes: u64, error: &str, cause: &str) {
    scope.scheduled_with(invoke(function, input)).after(milliseconds(28)).started().after(milliseconds(takes)).failed(error, Some(cause));
}

fn order() -> Value {
    json!({"orderId": "ord-4711", "customerId": "cus-0815", "currency": "EUR", "amount": 129.9,
        "items": [{"sku": "lamp-07", "quantity": 1}, {"sku": "bulb-03", "quantity": 4}]})
}

fn retries_exhausted() -> History {
    let order = order();
    let reserved = with(order.clone(), json!({"reservation": "res-20931"}));
    let charge = with(
        lambda("order-charge-card", "ShipOrder"),
        json!({"Retry": [{"ErrorEquals": ["PaymentGatewayTimeout"], "IntervalSeconds": 2, "MaxAttempts": 2, "BackoffRate": 2.0}]}),
    );
    let definition = json!({
        "Comment": "From a placed order to a paid shipment", "StartAt": "ValidateOrder",
        "States": {"ValidateOrder": {"Type": "Pass", "Next": "ReserveStock"}, "ReserveStock": lambda("order-reserve-stock", "ChargeCard"),
            "ChargeCard": charge, "ShipOrder": last_lambda("order-ship")}});
    let cause = json!({
        "errorMessage": "no answer from gateway.payments.example.com within 3000 ms", "errorType": "PaymentGatewayTimeout",
        "requestId": "1f0d9c3e-3c1e-4f0b-9a35-6f2b6a0c7d11",
        "stackTrace": ["  File \"/var/task/app.py\", line 48, in handler\n    receipt = gateway.charge(order, token)\n",
            "  File \"/var/task/gateway.py\", line 112, in charge\n    raise PaymentGatewayTimeout(url, limit)\n"]})
    .to_string();
    let mut orders = history("order-fulfilment");
    orders.named("ord-4711-1").input(&order).definition(&definition);
    orders.after(milliseconds(21)).pass("ValidateOrder", &order, &order);
    lambda_succeeds(&mut orders, "ReserveStock", "order-reserve-stock", &order, &reserved, 164);
    orders.after(milliseconds(9)).enter_task("ChargeCard", &reserved);
    for (attempt, wait) in [(0, 0), (1, 2041), (2, 4037)] {
        orders.after(milliseconds(wait));
        lambda_fails(&mut orders, "order-charge-card", &reserved, 3104 + attempt * 17, "PaymentGatewayTimeout", &cause);
    }
    orders.execution_failed().build()
}

fn caught_then_failed() -> History {
    let payment = json!({"paymentId": "pay-90210", "orderId": "ord-4712", "amount": 2499.0, "currency": "EUR",
        "gateway": {"user": "shop-eu", "password": "not-a-real-password"}});
    let definition = json!({
        "Comment": "Authorise, capture, book", "StartAt": "AuthorizePayment",
        "States": {
            "AuthorizePayment": with(lambda("payment-authorize", "CapturePayment"),
                json!({"Catch": [{"ErrorEquals": ["CardDeclined"], "ResultPath": "$.failure", "Next": "ReleaseStock"}]})),
            "CapturePayment": lambda("payment-capture", "BookPayment"),
            "BookPayment": {"Type": "Pass", "End": true},
            "ReleaseStock": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "ResultPath": null,
                "Parameters": {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/111111111111/stock-release", "MessageBody.$": "$"},
                "Next": "PaymentRejected"},
            "PaymentRejected": {"Type": "Fail", "Error": "PaymentRejected", "Cause": "The payment could not be authorised"}}});
    let cause = json!({"errorMessage": "card ending in 4242 was declined: insufficient_funds", "errorType": "CardDeclined",
        "requestId": "8d8a4c55-0f0c-4b7e-8f6e-3a52f1d1c0a9", "trace": ["CardDeclined: card ending in 4242 was declined",
            "    at authorize (/var/task/index.js:77:11)", "    at async handler (/var/task/index.js:21:18)"]})
    .to_string();
    let mut payments = history("payment-flow");
    payments.named("pay-90210").input(&payment).definition(&definition);
    payments.after(milliseconds(18)).enter_task("AuthorizePayment", &payment);
    lambda_fails(&mut payments, "payment-authorize", &payment, 872, "CardDeclined", &cause);
    let caught = with(payment.clone(), json!({"failure": {"Error": "CardDeclined", "Cause": cause}}));
    payments.caught(&caught).after(milliseconds(11));
    payments
        .enter_task("ReleaseStock", &caught)
        .calls("sqs", "sendMessage")
        .scheduled_with(json!({"QueueUrl": "https://sqs.us-east-1.amazonaws.com/111111111111/stock-release", "MessageBody": caught}));
    payments.after(milliseconds(24)).started().after(milliseconds(63));
    payments.succeeded(json!({"MessageId": "5fea7756-0ea4-451a-a703-a558b933e274"})).exit(&caught);
    payments.after(milliseconds(8)).enter_fail("PaymentRejected", &caught);
    payments.execution_failed_with("PaymentRejected", "The payment could not be authorised").build()
}

fn map_iteration_failed() -> History {
    let parcels: Vec<Value> = (0..6).map(|index| json!({"parcel": format!("par-{index:03}"), "weightGrams": 900 + index * 250})).collect();
    let input = json!({"shipment": "shp-3301", "carrier": "fastpost", "parcels": parcels});
    let processor = json!({"ProcessorConfig": {"Mode": "INLINE"}, "StartAt": "BuyLabel", "States": {
        "BuyLabel": with(lambda("shipping-buy-label", "PrintLabel"),
            json!({"Retry": [{"ErrorEquals": ["Lambda.TooManyRequestsException"], "IntervalSeconds": 1, "MaxAttempts": 3, "BackoffRate": 2.0}]})),
        "PrintLabel": last_lambda("shipping-print-label")}});
    let definition = json!({"Comment": "A label for every parcel", "StartAt": "LabelParcels", "States": {
        "LabelParcels": {"Type": "Map", "ItemsPath": "$.parcels", "MaxConcurrency": 3, "ItemProcessor": processor, "Next": "Dispatch"},
        "Dispatch": {"Type": "Pass", "End": true}}});
    let throttled = "Rate Exceeded. (Service: AWSLambda; Status Code: 429; Error Code: TooManyRequestsException; Request ID: 41c2f0ab-77f4-4b43-9a1c-0e2f9f1f52d0; Proxy: null)";
    let refused =
        json!({"errorMessage": "parcel par-004: weight 1900 g is above the limit of the tariff (1850 g)", "errorType": "TariffError",
        "requestId": "b9d3c6a4-7f14-4b0a-b0c7-2c0f4f6f93be",
        "stackTrace": ["  File \"/var/task/labels.py\", line 31, in handler\n    tariff = find_tariff(parcel)\n"]})
        .to_string();
    let label = |index: usize| with(parcels[index].clone(), json!({"label": format!("lbl-{:05}", 18_000 + index)}));

    let mut shipments = history("shipment-labels");
    shipments.named("shp-3301").input(&input).definition(&definition);
    shipments.after(milliseconds(15)).enter_map("LabelParcels", &input).map_started(6);
    let (mut first, mut second, mut third) = (shipments.iteration(0), shipments.iteration(1), shipments.iteration(2));
    lambda_succeeds(&mut first, "BuyLabel", "shipping-buy-label", &parcels[0], &label(0), 410);
    second.enter_task("BuyLabel", &parcels[1]);
    lambda_fails(&mut second, "shipping-buy-label", &parcels[1], 4, "Lambda.TooManyRequestsException", throttled);
    lambda_succeeds(&mut third, "BuyLabel", "shipping-buy-label", &parcels[2], &label(2), 385);
    lambda_succeeds(&mut first, "PrintLabel", "shipping-print-label", &label(0), &label(0), 120);
    first.iteration_succeeded();
    let mut fourth = shipments.iteration_after(&first, 3);
    lambda_succeeds(&mut third, "PrintLabel", "shipping-print-label", &label(2), &label(2), 133);
    third.iteration_succeeded();
    let mut fifth = shipments.iteration_after(&third, 4);
    second.after(milliseconds(240)).scheduled_with(invoke("shipping-buy-label", &parcels[1])).after(milliseconds(30)).started();
    fourth.enter_task("BuyLabel", &parcels[3]).scheduled_with(invoke("shipping-buy-label", &parcels[3])).after(milliseconds(26)).started();
    fifth.enter_task("BuyLabel", &parcels[4]);
    second.after(milliseconds(350)).succeeded(answered(&label(1))).exit(label(1));
    second.enter_task("PrintLabel", label(1)).scheduled_with(invoke("shipping-print-label", &label(1)));
    lambda_fails(&mut fifth, "shipping-buy-label", &parcels[4], 212, "TariffError", &refused);
    fifth.scope_failed();
    shipments.composite_failed().execution_failed().build()
}

fn nested_execution() -> Vec<History> {
    let order = with(order(), json!({"orderId": "ord-4713"}));
    let payment = json!({"orderId": "ord-4713", "amount": 129.9, "currency": "EUR"});
    let role = "arn:aws:sts::111111111111:assumed-role/payment-capture-role/payment-capture";
    let cause = format!(
        "User: {role} is not authorized to perform: dynamodb:PutItem on resource: arn:aws:dynamodb:us-east-1:111111111111:table/payments because no identity-based policy allows the dynamodb:PutItem action (Service: AmazonDynamoDBv2; Status Code: 400; Error Code: AccessDeniedException; Request ID: 7QF5Q0EXAMPLE; Proxy: null)"
    );
    let mut child = history("payment-capture");
    child.named("ord-4713-capture").clock_at(moment("2026-01-01T00:00:00.431Z")).input(&payment);
    child.definition(&json!({"StartAt": "StorePayment", "States": {
        "StorePayment": {"Type": "Task", "Resource": "arn:aws:states:::dynamodb:putItem", "End": true,
            "Parameters": {"TableName": "payments", "Item": {"id": {"S.$": "$.orderId"}}}}}}));
    child.after(milliseconds(14)).enter_task("StorePayment", &payment).calls("dynamodb", "putItem");
    child.scheduled_with(json!({"TableName": "payments", "Item": {"id": {"S": "ord-4713"}}}));
    child.after(milliseconds(22)).started().after(milliseconds(87)).failed("DynamoDB.AmazonDynamoDBException", Some(&cause));
    child.execution_failed();

    let mut parent = history("order-fulfilment");
    parent.named("ord-4713-1").input(&order).definition(&json!({"StartAt": "ReserveStock", "States": {
        "ReserveStock": lambda("order-reserve-stock", "CapturePayment"),
        "CapturePayment": {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2", "End": true,
            "Parameters": {"StateMachineArn": "arn:aws:states:us-east-1:111111111111:stateMachine:payment-capture",
                "Name.$": "States.Format('{}-capture', $.orderId)",
                "Input": {"orderId.$": "$.orderId", "amount.$": "$.amount", "currency.$": "$.currency"}}}}}));
    lambda_succeeds(&mut parent, "ReserveStock", "order-reserve-stock", &order, &order, 173);
    parent.after(milliseconds(10)).enter_task("CapturePayment", &order).calls("states", "startExecution.sync:2");
    parent.scheduled_with(json!({"StateMachineArn": "arn:aws:states:us-east-1:111111111111:stateMachine:payment-capture",
        "Name": "ord-4713-capture", "Input": payment}));
    parent.after(milliseconds(35)).started().after(milliseconds(170)).submitted_child(&child.arn()).after(milliseconds(623));
    let failed = json!({"Cause": cause, "Error": "DynamoDB.AmazonDynamoDBException", "ExecutionArn": child.arn().as_str(),
        "Input": payment.to_string(), "Name": "ord-4713-capture", "StartDate": 1_767_225_600_431_u64,
        "StateMachineArn": "arn:aws:states:us-east-1:111111111111:stateMachine:payment-capture", "Status": "FAILED",
        "StopDate": 1_767_225_600_554_u64});
    parent.failed("States.TaskFailed", Some(&failed.to_string())).execution_failed();
    vec![parent.build(), child.build()]
}

fn moment(text: &str) -> crate::model::Timestamp {
    text.parse().expect("the moments of the demo are written here")
}

fn runtime_error_in_parallel() -> History {
    let input = json!({"reportId": "rep-2026-01", "month": "2025-12", "tenant": "acme"});
    let definition = json!({"StartAt": "Collect", "States": {
        "Collect": {"Type": "Parallel", "Next": "Render", "Branches": [
            {"StartAt": "QueryInvoices", "States": {"QueryInvoices": {"Type": "Task", "End": true,
                "Resource": "arn:aws:states:::athena:startQueryExecution.sync", "Parameters": {"QueryString": "SELECT * FROM invoices"}}}},
            {"StartAt": "LoadRates", "States": {"LoadRates": {"Type": "Task", "Resource": LAMBDA, "Next": "PickRate",
                "Parameters": {"FunctionName": "report-load-rates", "Payload.$": "$"}, "OutputPath": "$.Payload"},
                "PickRate": {"Type": "Pass", "Parameters": {"rate.$": "$.rates.EUR"}, "End": true}}}]},
        "Render": {"Type": "Pass", "End": true}}});
    let rates = json!({"source": "ecb", "quotes": {"EUR": 1.0, "USD": 1.09}});
    let mut reports = history("invoice-report");
    reports.named("rep-2026-01").input(&input).definition(&definition);
    reports.after(milliseconds(19)).enter_parallel("Collect", &input).parallel_started();
    let (mut invoices, mut currencies) = (reports.branch(), reports.branch());
    invoices.enter_task("QueryInvoices", &input).calls("athena", "startQueryExecution.sync");
    invoices.scheduled_with(json!({"QueryString": "SELECT * FROM invoices"})).after(milliseconds(33)).started();
    invoices.after(milliseconds(140)).submitted(json!({"QueryExecutionId": "3f6fbb1c-2c06-4c4e-bb36-5f7c8f7b9f52"}));
    lambda_succeeds(&mut currencies, "LoadRates", "report-load-rates", &input, &rates, 236);
    currencies.after(milliseconds(7)).enter_pass("PickRate", &rates);
    currencies
        .runtime_error(&format!("The JSONPath '$.rates.EUR' specified for the field 'rate.$' could not be found in the input '{rates}'"))
        .build()
}

/// Made up, in the shape of a real one.
pub const TOKEN: &str = "AQCEAAAAKgAAAAMAAAAAAAAAAUZha2VUYXNrVG9rZW5PZlRoZURlbW9Ob3RIaW5nSXNCZWhpbmRJdDAxMjM0NTY3ODlhYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ekFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaMDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6";

fn stuck_callback() -> History {
    let refund = json!({"refundId": "ref-118", "orderId": "ord-4699", "amount": 640.0, "requestedBy": "agent-17",
        "crm": {"endpoint": "https://crm.example.com", "apiKey": "fake-key-0123456789abcdef"}});
    let checked = with(refund.clone(), json!({"risk": "medium"}));
    let mut refunds = history("refund-approval");
    refunds.named("ref-118").input(&refund);
    lambda_succeeds(&mut refunds, "AssessRisk", "refund-assess-risk", &refund, &checked, 302);
    refunds.after(milliseconds(9)).choice("NeedsApproval", &checked);
    refunds.after(milliseconds(9)).enter_task("AskManager", &checked).calls("sqs", "sendMessage.waitForTaskToken");
    refunds.scheduled_with(json!({"QueueUrl": "https://sqs.us-east-1.amazonaws.com/111111111111/refund-approvals",
        "MessageBody": {"refund": checked, "TaskToken": TOKEN}}));
    refunds.after(milliseconds(41)).started().after(milliseconds(88));
    refunds.submitted(json!({"MD5OfMessageBody": "9bb58f26192e4ba00f01e2e7b136bbd8", "MessageId": "0c2f6a52-9f39-4c5e-8c9d-5f1d4b0a1e0f"}));
    refunds.build()
}

fn heartbeat_timeout() -> History {
    let input = json!({"catalog": "spring-2026", "bucket": "acme-catalog-imports", "key": "2026/01/01/catalog.csv"});
    let definition = json!({"StartAt": "CheckFile", "States": {
        "CheckFile": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:s3:headObject", "ResultPath": null, "Next": "ImportCatalog",
            "Parameters": {"Bucket.$": "$.bucket", "Key.$": "$.key"}},
        "ImportCatalog": {"Type": "Task", "Resource": "arn:aws:states:::ecs:runTask.waitForTaskToken", "HeartbeatSeconds": 60,
            "TimeoutSeconds": 3600, "End": true,
            "Parameters": {"Cluster": "imports", "TaskDefinition": "catalog-import:12", "Overrides": {"ContainerOverrides": [
                {"Name": "import", "Environment": [{"Name": "TASK_TOKEN", "Value.$": "$$.Task.Token"}]}]}}}}});
    let mut imports = history("catalog-import");
    imports.named("spring-2026-1").input(&input).definition(&definition);
    imports.after(milliseconds(16)).enter_task("CheckFile", &input).calls("aws-sdk:s3", "headObject");
    imports.scheduled_with(json!({"Bucket": "acme-catalog-imports", "Key": "2026/01/01/catalog.csv"}));
    imports.after(milliseconds(27)).started().after(milliseconds(54)).succeeded(json!({"ContentLength": 7_340_032})).exit(&input);
    imports.after(milliseconds(8)).enter_task("ImportCatalog", &input).calls("ecs", "runTask.waitForTaskToken");
    imports.heartbeat(seconds(60)).timeout(minutes(60));
    imports.scheduled_with(json!({"Cluster": "imports", "TaskDefinition": "catalog-import:12", "Overrides": {"ContainerOverrides": [
        {"Name": "import", "Environment": [{"Name": "TASK_TOKEN", "Value": TOKEN}]}]}}));
    imports.after(milliseconds(38)).started().after(milliseconds(904)).submitted(json!({"Failures": [], "Tasks": [
        {"TaskArn": "arn:aws:ecs:us-east-1:111111111111:task/imports/0f9de17a6465404e8b1b2356dc13c2f8", "LastStatus": "PROVISIONING"}]}));
    // It sent heartbeats for eleven minutes, which leave no events, and then none.
    imports.after(minutes(12)).timed_out().execution_failed().build()
}

fn polling_timed_out() -> History {
    let job = json!({"exportId": "exp-77", "table": "orders", "status": "RUNNING"});
    let definition = json!({"TimeoutSeconds": 900, "StartAt": "StartExport", "States": {
        "StartExport": lambda("export-start", "WaitForExport"),
        "WaitForExport": {"Type": "Wait", "Seconds": 60, "Next": "GetStatus"},
        "GetStatus": lambda("export-status", "IsDone"),
        "IsDone": {"Type": "Choice", "Default": "WaitForExport",
            "Choices": [{"Variable": "$.status", "StringEquals": "COMPLETED", "Next": "Publish"}]},
        "Publish": {"Type": "Pass", "End": true}}});
    let mut exports = history("orders-export");
    exports.named("exp-77").input(json!({"table": "orders"})).definition(&definition);
    lambda_succeeds(&mut exports, "StartExport", "export-start", &json!({"table": "orders"}), &job, 450);
    for turn in 0..14_u64 {
        exports.after(milliseconds(9)).wait("WaitForExport", &job, seconds(60));
        lambda_succeeds(&mut exports, "GetStatus", "export-status", &job, &job, 80 + turn * 7 % 40);
        exports.after(milliseconds(10)).choice("IsDone", &job);
    }
    let until_limit = seconds(900).saturating_sub(elapsed(&exports));
    exports.enter_wait("WaitForExport", &job).after(until_limit).execution_timed_out().build()
}

/// How far the story's clock is from its start.
fn elapsed(story: &HistoryBuilder) -> std::time::Duration {
    let start = moment("2026-01-01T00:00:00Z");
    std::time::Duration::try_from(story.now().duration_since(start)).unwrap_or_default()
}

fn swallowed_failures() -> History {
    let order = with(order(), json!({"orderId": "ord-4714", "email": "customer@example.com"}));
    let definition = json!({"StartAt": "ReserveStock", "States": {
        "ReserveStock": with(lambda("order-reserve-stock", "SendConfirmation"),
            json!({"Retry": [{"ErrorEquals": ["Lambda.ServiceException"], "IntervalSeconds": 2, "MaxAttempts": 6, "BackoffRate": 2.0}]})),
        "SendConfirmation": with(lambda("order-send-mail", "Done"),
            json!({"Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.mailFailure", "Next": "SkipConfirmation"}]})),
        "SkipConfirmation": {"Type": "Pass", "Next": "Done"},
        "Done": {"Type": "Succeed"}}});
    let unavailable = "Service unavailable (Service: AWSLambda; Status Code: 503; Error Code: ServiceException; Request ID: 0a5b1e0c-5f1b-4a55-b6a9-95f6c27f1c7e; Proxy: null)";
    let refused = json!({"errorMessage": "554 Message rejected: Email address is not verified", "errorType": "MailError",
        "requestId": "c2a58a90-2a9b-4f39-9fb4-6ffb5b6d8d14", "trace": ["MailError: 554 Message rejected", "    at send (/var/task/mail.js:40:9)"]})
    .to_string();
    let mut orders = history("order-fulfilment");
    orders.named("ord-4714-1").input(&order).definition(&definition);
    orders.after(milliseconds(17)).enter_task("ReserveStock", &order);
    lambda_fails(&mut orders, "order-reserve-stock", &order, 6, "Lambda.ServiceException", unavailable);
    orders.after(milliseconds(2033)).scheduled_with(invoke("order-reserve-stock", &order)).after(milliseconds(29)).started();
    orders.after(milliseconds(158)).succeeded(answered(&order)).exit(&order);
    orders.after(milliseconds(9)).enter_task("SendConfirmation", &order);
    lambda_fails(&mut orders, "order-send-mail", &order, 421, "MailError", &refused);
    let skipped = with(order.clone(), json!({"mailFailure": {"Error": "MailError", "Cause": refused}}));
    orders.caught(&skipped).after(milliseconds(9)).pass("SkipConfirmation", &skipped, &skipped);
    orders.after(milliseconds(8)).enter_succeed("Done", &skipped).exit(&skipped).execution_succeeded(&skipped).build()
}

fn redriven() -> History {
    let refund = json!({"refundId": "ref-121", "orderId": "ord-4650", "amount": 89.0});
    let definition = json!({"StartAt": "LoadOrder", "States": {
        "LoadOrder": lambda("refund-load-order", "TransferMoney"),
        "TransferMoney": {"Type": "Task", "Resource": "arn:aws:states:::http:invoke", "ResultPath": null, "Next": "Confirm",
            "Parameters": {"ApiEndpoint": "https://bank.example.com/transfers", "Method": "POST",
                "Headers": {"Authorization": "Bearer fake-bearer-token-0123456789"}, "RequestBody.$": "$",
                "Authentication": {"ConnectionArn": "arn:aws:events:us-east-1:111111111111:connection/bank/0f1e2d3c"}}},
        "Confirm": last_lambda("refund-confirm")}});
    let call = json!({"ApiEndpoint": "https://bank.example.com/transfers", "Method": "POST",
        "Headers": {"Authorization": "Bearer fake-bearer-token-0123456789"}, "RequestBody": refund,
        "Authentication": {"ConnectionArn": "arn:aws:events:us-east-1:111111111111:connection/bank/0f1e2d3c"}});
    let mut refunds = history("refund-payout");
    refunds.named("ref-121").input(&refund).definition(&definition);
    lambda_succeeds(&mut refunds, "LoadOrder", "refund-load-order", &refund, &refund, 141);
    refunds.after(milliseconds(9)).enter_task("TransferMoney", &refund).calls("http", "invoke").scheduled_with(&call);
    refunds.after(milliseconds(35)).started().after(milliseconds(618));
    refunds.failed("States.Http.StatusCode.503", Some("<html><h1>Maintenance until 02:00</h1></html>")).execution_failed();
    refunds.after(minutes(134)).redriven().after(milliseconds(20)).scheduled_with(&call);
    refunds.after(milliseconds(33)).started().after(milliseconds(540));
    refunds.succeeded(json!({"StatusCode": 201, "ResponseBody": {"transfer": "tr-551"}})).exit(&refund);
    lambda_succeeds(&mut refunds, "Confirm", "refund-confirm", &refund, &refund, 96);
    refunds.execution_succeeded(&refund).build()
}
