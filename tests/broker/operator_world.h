#pragma once

#include "broker/auth/signing_key.h"
#include "tests/broker/broker_harness.h"
#include "tests/broker/test_secrets.h"
#include "tests/net/test_server.h"

#include <nlohmann/json.hpp>

#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>

namespace vivavoce::tests {

/// An issuer on loopback that publishes one key, and calls the token "opaque" active: u1's.
class LoginServer {
public:
    LoginServer()
    {
        net::Router router;
        net::test::addPlain(router, "GET", "/.well-known/openid-configuration", [this](const net::HttpRequest&) {
            ++m_asked;
            return net::HttpResponse::json(200,
                core::Json(
                    {{"issuer", url()}, {"jwks_uri", url() + "/keys"}, {"introspection_endpoint", url() + "/ask"}})
                    .dump());
        });
        net::test::addPlain(router, "POST", "/ask", [this](const net::HttpRequest& request) {
            ++m_introspections;
            core::Json answer{{"active", request.body.ends_with("token=opaque")}, {"sub", "u1"}, {"aud", "vivavoce"},
                {"exp", 1'800'000'600}, {"scope", "voice:mint voice:session"}};
            return net::HttpResponse::json(200, answer.dump());
        });
        net::test::addPlain(router, "GET", "/keys", [this](const net::HttpRequest&) {
            return net::HttpResponse::json(200, core::Json({{"keys", core::Json::array({m_key.publicJwk()})}}).dump());
        });
        m_server = std::make_unique<net::test::TestServer>(std::move(router));
    }
    [[nodiscard]] std::string url() const { return m_server->url(""); }
    /// How often for its metadata.
    [[nodiscard]] int asked() const { return m_asked; }
    /// How often about a token.
    [[nodiscard]] int introspections() const { return m_introspections; }
    /// Good for ten minutes of the test's clock.
    [[nodiscard]] std::string token(
        const std::string& subject, const std::string& scopes, const core::Json& more = core::Json::object()) const
    {
        constexpr std::int64_t now = 1'800'000'000;
        core::Json claims{
            {"iss", url()}, {"sub", subject}, {"aud", "vivavoce"}, {"iat", now}, {"exp", now + 600}, {"scope", scopes}};
        claims.update(more);
        return std::string(m_key.sign("at+jwt", claims).reveal());
    }

private:
    std::atomic<int> m_asked{0};
    std::atomic<int> m_introspections{0};
    broker::auth::SigningKey m_key = *broker::auth::SigningKey::generate(broker::auth::JoseAlgorithm::Es256);
    std::unique_ptr<net::test::TestServer> m_server;
};

/// A broker as an operator runs it.
struct OperatorWorld {
    explicit OperatorWorld(const std::function<void(broker::Config&)>& change = {})
        : broker([this, change](broker::Config& config) {
              config.isEmbedded = false;
              config.secret = core::Secret(kTestSecret);
              config.auditFolder = audit.path().toStdString();
              config.violationsToBlock = 3;
              config.sessionsPerUser = 5;
              broker::auth::IssuerSettings issuer;
              issuer.url = login.url();
              issuer.audiences = {"vivavoce"};
              issuer.grants = {};
              config.issuers.push_back(std::move(issuer));
              config.serviceAccounts.push_back({"nightly", service.hash, {"voice:mint", "voice:session"}});
              if (change) {
                  change(config);
              }
          })
    {
    }

    BrokerWorld::Answer as(const std::string& token, const char* method, const std::string& path, std::string body = {},
        const core::HttpHeaders& headers = {})
    {
        auto request = broker.request(method, path, std::move(body));
        request.headers.add("Authorization", "Bearer " + token);
        for (const auto& field : headers.fields()) {
            request.headers.set(field.name, field.value);
        }
        return broker.send(std::move(request));
    }
    [[nodiscard]] std::string user(const std::string& name = "u1") const
    {
        return login.token(name, "voice:mint voice:session");
    }
    [[nodiscard]] std::string admin() const { return login.token("root", "voice:admin voice:session"); }
    [[nodiscard]] std::string serviceKey() const { return std::string(service.key.reveal()); }

    /// The lines of the audit, after what was handed in without waiting is there; but for those of the broker's own start and stop.
    std::vector<core::Json> lines(std::size_t atLeast)
    {
        std::vector<core::Json> found;
        (void)QTest::qWaitFor([&] {
            found = allLines(0);
            found.erase(std::remove_if(found.begin(), found.end(),
                            [](const core::Json& line) {
                                const auto event = line.at("event").get<std::string>();
                                return event.starts_with("broker.") || event == "auth.sign_in";
                            }),
                found.end());
            return found.size() >= atLeast;
        });
        return found;
    }
    std::vector<core::Json> allLines(std::size_t atLeast)
    {
        std::vector<core::Json> found;
        (void)QTest::qWaitFor([&] {
            found.clear();
            for (const auto& file : std::filesystem::directory_iterator(audit.path().toStdString())) {
                std::ifstream in(file.path());
                for (std::string line; file.path().extension() == ".jsonl" && std::getline(in, line);) {
                    found.push_back(core::Json::parse(line));
                }
            }
            return found.size() >= atLeast;
        });
        return found;
    }

    QTemporaryDir audit;
    LoginServer login;
    broker::auth::NewServiceKey service = broker::auth::makeServiceKey("nightly");
    BrokerWorld broker;
};

} // namespace vivavoce::tests
