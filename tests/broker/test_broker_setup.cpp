#include "broker/config_problems.h"
#include "broker/config_secrets.h"
#include "broker/options.h"
#include "broker/setup/check_config.h"
#include "broker/setup/check_files.h"
#include "broker/setup/init_keys.h"
#include "tests/broker/test_secrets.h"
#include "tests/net/test_certificates.h"

#include <QRegularExpression>
#include <QTemporaryDir>
#include <QTest>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include <sys/stat.h>

using namespace vivavoce;
using namespace vivavoce::broker;
namespace fs = std::filesystem;

namespace {

using Variables = std::map<std::string, std::string>;

Environment environmentOf(const Variables& variables)
{
    return [variables](const char* name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional(found->second);
    };
}

/// What check-config prints and ends with.
struct Checked {
    int code = -1;
    QString out;
    QStringList said;

    [[nodiscard]] bool says(const QString& text) const
    {
        return std::any_of(said.begin(), said.end(), [&](const QString& line) { return line.contains(text); });
    }
    [[nodiscard]] QByteArray all() const { return said.join(u'\n').toUtf8(); }
};

/// A folder with a configuration that is good, until a test changes it.
class World {
public:
    World()
    {
        fs::permissions(path(""), fs::perms::owner_all);
        write("good.toml", good());
    }
    [[nodiscard]] std::string path(const std::string& name) const { return m_folder.path().toStdString() + "/" + name; }
    [[nodiscard]] std::string good(const std::string& top = {}, const std::string& tables = {}) const
    {
        return top + "\nsecret = \"" + tests::kTestSecret + "\"\naudit = { folder = \"" + path("audit")
            + "\" }\n[provider]\napi_key = \"provider-marker\"\n[[issuers]]\nurl = \"https://login.example\"\n"
              "audiences = [\"voice\"]\n"
            + tables;
    }
    std::string write(const std::string& name, const std::string& text, mode_t mode = 0600) const
    {
        std::ofstream(path(name), std::ios::binary) << text;
        ::chmod(path(name).c_str(), mode);
        return path(name);
    }
    [[nodiscard]] Checked check(const std::string& file, const Variables& variables = {}) const
    {
        Overrides overrides;
        if (!file.empty()) {
            overrides.configFile = file;
        }
        std::ostringstream out;
        std::ostringstream err;
        Checked checked;
        checked.code = runCheckConfig({overrides}, environmentOf(variables), out, err);
        checked.out = QString::fromStdString(out.str());
        checked.said = QString::fromStdString(err.str()).split(u'\n', Qt::SkipEmptyParts);
        return checked;
    }
    [[nodiscard]] Checked checkText(const std::string& text, const Variables& variables = {}) const
    {
        return check(write("checked.toml", text), variables);
    }
    [[nodiscard]] Config load(const std::string& text, const Variables& variables, Problems& problems) const
    {
        Overrides overrides;
        overrides.configFile = write("loaded.toml", text);
        return loadConfig(overrides, environmentOf(variables), problems);
    }

private:
    QTemporaryDir m_folder;
};

/// The lines of a file that `init` made with `#key = value` made `key = value`, up to the tables of lists, and nothing else.
QString defaultsOf(const std::string& file)
{
    static const QRegularExpression commented(QStringLiteral("^#([a-z_]+ = .*)$"));
    QString found;
    for (const QString& line : QString::fromStdString(file).split(u'\n')) {
        if (line.startsWith(u"#[[") || line.startsWith(u"[[")) {
            break;
        }
        const auto match = commented.match(line);
        if (match.hasMatch()) {
            found += match.captured(1) + u'\n';
        } else if (line.startsWith(u'[')) {
            found += line + u'\n';
        }
    }
    return found;
}

/// The part of it that is one table of a list, without the number signs before keys.
std::string entryOf(const std::string& file, const QString& table)
{
    static const QRegularExpression commented(QStringLiteral("^#?((\\[\\[)?[a-z_]+(\\]\\])?( = .*)?)$"));
    QString found;
    bool isIn = false;
    for (const QString& line : QString::fromStdString(file).split(u'\n')) {
        if (line.contains(u"[[")) {
            isIn = line.contains(table);
        }
        const auto match = commented.match(line);
        if (isIn && match.hasMatch()) {
            found += match.captured(1) + u'\n';
        }
    }
    return found.toStdString();
}

/// Whether everybody gets as far as the folder in which this one is.
bool isOpenAbove(const std::string& folder)
{
    fs::path above = fs::path(folder).parent_path().parent_path();
    bool isOpen = true;
    for (; above != above.parent_path(); above = above.parent_path()) {
        isOpen = isOpen && (fs::status(above).permissions() & fs::perms::others_exec) != fs::perms::none;
    }
    return isOpen;
}

} // namespace

class TestBrokerSetup : public QObject {
    Q_OBJECT

private slots:
    void init_File_NamesEveryKeyOfTheReaderInItsTable_data()
    {
        QTest::addColumn<int>("profile");
        QTest::newRow("local") << static_cast<int>(Profile::Local);
        QTest::newRow("production") << static_cast<int>(Profile::Production);
    }
    void init_File_NamesEveryKeyOfTheReaderInItsTable()
    {
        QFETCH(int, profile);
        static const QRegularExpression key(QStringLiteral("^(?:# e\\.g\\. |#)?([a-z_]+) = "));
        static const QRegularExpression header(QStringLiteral("^#?(\\[+)([a-z_.]+)\\]"));
        QStringList named;
        QString table;
        for (const QString& line : QString::fromStdString(initialConfig(static_cast<Profile>(profile))).split(u'\n')) {
            if (const auto match = header.match(line); match.hasMatch()) {
                table = match.captured(2) + QString::fromLatin1(match.captured(1).size() == 2 ? "[]." : ".");
            } else if (const auto found = key.match(line); found.hasMatch()) {
                named << table + found.captured(1);
            }
        }
        QStringList known;
        for (const std::string& one : configKeys()) {
            known << QString::fromStdString(one);
        }
        named.sort();
        known.sort();
        QCOMPARE(named, known);
        QVERIFY(known.contains(u"issuers[].client_secret_file") && known.contains(u"limits.redis_url_file"));
    }

    void init_EveryKey_HasASentence()
    {
        for (const InitKey& entry : initKeys()) {
            QVERIFY2(entry.sentence.find_first_of(".:;") != std::string_view::npos, std::string(entry.key).c_str());
        }
    }

    void init_TablesOfLists_HaveTheirOwnHeads()
    {
        const std::string file = initialConfig(Profile::Local);
        for (const char* head : {"Who vouches for users", "Narrower rules for some", "Programs of your own"}) {
            const std::size_t first = file.find(head);
            QVERIFY2(first != std::string::npos && file.find(head, first + 1) == std::string::npos, head);
        }
    }

    void init_CommentedDefaults_AreWhatHoldsWithoutThem()
    {
        const World world;
        for (const Profile profile : {Profile::Local, Profile::Production}) {
            const QString text = defaultsOf(initialConfig(profile));
            QVERIFY(text.count(u'=') > 10);
            Problems problems;
            const Config config = world.load(text.toStdString(), {}, problems);
            QVERIFY2(!problems.hasFault(), problems.hasFault() ? problems.firstFault().detail.c_str() : "");
            QCOMPARE(QString::fromStdString(printConfig(config)), QString::fromStdString(printConfig(Config())));
            // Which are printed only where there is a webhook.
            QVERIFY(text.contains(u"webhook_timeout_ms") && text.contains(u"cache_seconds"));
            QVERIFY(config.projects.webhookTimeout == ProjectSettings().webhookTimeout);
            QVERIFY(config.projects.webhookKeptFor == ProjectSettings().webhookKeptFor);
        }
        Problems problems;
        const std::string issuer = entryOf(initialConfig(Profile::Local), QStringLiteral("issuers"));
        const Config config = world.load(issuer, {}, problems);
        QVERIFY2(!problems.hasFault(), problems.hasFault() ? problems.firstFault().detail.c_str() : issuer.c_str());
        Config expected;
        expected.issuers.emplace_back();
        expected.issuers.back().url = "https://login.example";
        expected.issuers.back().audiences = {"vivavoce"};
        QCOMPARE(QString::fromStdString(printConfig(config)), QString::fromStdString(printConfig(expected)));
    }

    void init_Secret_IsStrongAndAnotherOneEachTime()
    {
        const World world;
        Problems problems;
        const Config one = world.load(initialConfig(Profile::Local), {}, problems);
        const Config other = world.load(initialConfig(Profile::Local), {}, problems);
        QVERIFY(!problems.hasFault());
        QVERIFY(one.secret.size() >= 43);
        QVERIFY(!one.secret.equals(other.secret.reveal()));
    }

    void init_Production_IsStricterAndComplainsOfItsPlaceholders()
    {
        const World world;
        const Checked checked = world.checkText(initialConfig(Profile::Production));
        QCOMPARE(checked.code, 2);
        for (const char* key : {"public_url", "tls.certificate", "tls.key", "issuers[0].url", "issuers[0].audiences"}) {
            QVERIFY2(checked.says(QStringLiteral("problem: %1 has still to be filled in: it says CHANGE-ME (line ")
                                      .arg(QLatin1String(key))),
                checked.all().constData());
        }
        Problems problems;
        const Config config = world.load(initialConfig(Profile::Production), {}, problems);
        QCOMPARE(config.mintsPerMinute, std::size_t{5});
        QVERIFY(config.sessionsPerUser < Config().sessionsPerUser);
        QCOMPARE(config.auditFolder, std::string("/var/lib/vivavoce/audit"));
        QVERIFY(config.databaseUrl.equals("sqlite:///var/lib/vivavoce/broker.db"));
        QVERIFY(!config.isLoopback());
    }

    void init_NewFile_IsPrivateWholeAndAlone()
    {
        const World world;
        const std::string path = world.path("new.toml");
        const mode_t before = ::umask(0);
        std::ostringstream out;
        const auto made = runInit(path, Profile::Local, out);
        ::umask(before);
        QVERIFY(made.has_value());
        struct stat about {};
        QCOMPARE(::stat(path.c_str(), &about), 0);
        QCOMPARE(about.st_mode & 07777U, 0600U);
        QCOMPARE(about.st_nlink, nlink_t{1});
        // No temporary file is left, nor the secret on the screen.
        QCOMPARE(std::distance(fs::directory_iterator(world.path("")), fs::directory_iterator()), std::ptrdiff_t{2});
        Problems problems;
        Overrides overrides;
        overrides.configFile = path;
        const Config config = loadConfig(overrides, environmentOf({}), problems);
        QVERIFY(!config.secret.empty() && out.str().find(config.secret.reveal()) == std::string::npos);
        QVERIFY(out.str().find("check-config --config " + path) != std::string::npos);
    }

    void init_WhatIsThere_StaysAsItIs_data()
    {
        QTest::addColumn<QString>("kind");
        for (const char* kind : {"file", "link", "dangling link", "folder"}) {
            QTest::newRow(kind) << QString::fromLatin1(kind);
        }
    }
    void init_WhatIsThere_StaysAsItIs()
    {
        QFETCH(QString, kind);
        const World world;
        const std::string path = world.path("there");
        if (kind == u"file") {
            world.write("there", "mine");
        } else if (kind == u"folder") {
            fs::create_directory(path);
        } else {
            fs::create_symlink(kind == u"link" ? world.path("good.toml") : world.path("nowhere"), path);
        }
        const auto before = fs::symlink_status(path).type();
        std::ostringstream out;
        const auto made = runInit(path, Profile::Local, out);
        QVERIFY(!made);
        QCOMPARE(core::exitCode(made.error().code), 2);
        QVERIFY2(made.error().detail.find("is there already") != std::string::npos, made.error().detail.c_str());
        QVERIFY(out.str().empty());
        QCOMPARE(fs::symlink_status(path).type(), before);
        QVERIFY(!fs::exists(world.path("nowhere")));
        QVERIFY(kind != u"file" || fs::file_size(path) == 4);
    }

    void init_FolderThatIsNotThere_IsUnwritable()
    {
        std::ostringstream out;
        const auto made = runInit("/nonexistent/broker.toml", Profile::Local, out);
        QCOMPARE(made.error().code, core::ErrorCode::OutputUnwritable);
        QVERIFY(out.str().empty());
    }

    void check_GoodConfiguration_IsOk()
    {
        const World world;
        const Checked checked = world.check(world.path("good.toml"));
        QVERIFY2(checked.said.isEmpty(), checked.all().constData());
        QCOMPARE(checked.out, QStringLiteral("ok\n"));
        QCOMPARE(checked.code, 0);
        QVERIFY(!fs::exists(world.path("audit")));
    }

    void check_Warnings_AreToldAndOk()
    {
        const World world;
        std::string text = world.good();
        text.replace(text.find("api_key"), 7, "#");
        const Checked checked = world.checkText(text);
        QCOMPARE(checked.code, 0);
        QCOMPARE(checked.out, QStringLiteral("ok, with 1 warning\n"));
        QCOMPARE(checked.said.size(), qsizetype{1});
        QVERIFY2(checked.says(QStringLiteral("warning: provider.api_key is not set")), checked.all().constData());
    }

    void check_ModelThatIsToEnd_IsAWarning()
    {
        const World world;
        // Over for every clock that a machine may have: its end was in 2025.
        const Checked checked = world.checkText(
            world.good() + "\n[providers.gemini]\napi_key = \"key\"\nmodel = \"gemini-2.0-flash-live-001\"\n");
        QCOMPARE(checked.code, 0);
        QVERIFY2(checked.says(QStringLiteral("warning: providers.gemini.model names one whose end is announced:")),
            checked.all().constData());
    }

    void check_VoiceThatNoProviderIsKnownToHave_IsAWarning()
    {
        const World world;
        const std::string gemini = "\n[providers.gemini]\napi_key = \"key\"\nmodel = \"gemini-9\"\n";
        const std::string voices = "\n[policy]\nvoices = [\"marin\", \"Puck\"]\n";
        const Checked openAi = world.checkText(world.good() + voices);
        QCOMPARE(openAi.code, 0);
        QVERIFY2(openAi.says(QStringLiteral("warning: policy.voices names \"Puck\", which none of its providers")),
            openAi.all().constData());
        QCOMPARE(world.checkText(world.good() + voices + gemini).out, QStringLiteral("ok\n"));
        // Nobody knows what a server of one's own has.
        const Checked own = world.checkText(world.good() + voices
            + "\n[[providers.compatible]]\nname = \"own\"\nprofile = \"speaches\"\n"
            + "url = \"https://speaches.example\"\nmodels = [\"m\"]\n");
        QCOMPARE(own.out, QStringLiteral("ok\n"));
        // Of those that a policy allows it is only one.
        const Checked narrow = world.checkText(world.good() + gemini
            + "\n[[policies]]\nproject = \"p\"\nproviders = [\"gemini\"]\nvoices = [\"marin\"]\n");
        QVERIFY2(narrow.says(QStringLiteral("warning: policies[0].voices names \"marin\"")), narrow.all().constData());
    }

    void check_PolicyThatShutsPeopleOut_IsAWarning_data()
    {
        QTest::addColumn<QByteArray>("policies");
        QTest::addColumn<QByteArray>("warning");
        const auto row = [](const char* name, const char* policies, const char* warning) {
            QTest::newRow(name) << QByteArray(policies) << QByteArray(warning);
        };
        row("provider", "[policy]\nproviders = [\"openai\", \"azure\"]\n",
            "policy.providers names \"azure\", which this broker does not have");
        row("provider without a key", "[[policies]]\nproject = \"p\"\nproviders = [\"gemini\"]\n",
            "policies[0].providers names \"gemini\", which this broker does not have");
        row("model", "[policy]\nproviders = [\"own\"]\nmodels = [\"m\", \"n\"]\n",
            "policy.models names \"n\", which none of its providers has");
        row("model of a provider that everybody's policy forbids",
            "[policy]\nproviders = [\"openai\"]\n[[policies]]\nproject = \"p\"\nmodels = [\"m\"]\n",
            "policies[0].models names \"m\", which none of its providers has");
        row("instructions", "[policy]\ninstructions = \"Be kind.\"\n", "policy.instructions cannot be held by \"own\"");
        row("instructions of a project",
            "[[policies]]\nproject = \"p\"\nproviders = [\"own\"]\ninstructions = \"Be kind.\"\n",
            "policies[0].instructions cannot be held by \"own\"");
        row("all that is there", "[policy]\nproviders = [\"openai\", \"own\"]\nmodels = [\"anything\", \"m\"]\n", "");
        row("instructions that are held", "[policy]\nproviders = [\"openai\"]\ninstructions = \"Be kind.\"\n", "");
        row("instructions for models that are another one's",
            "[policy]\nmodels = [\"anything\"]\ninstructions = \"Be kind.\"\n", "");
    }
    void check_PolicyThatShutsPeopleOut_IsAWarning()
    {
        QFETCH(QByteArray, policies);
        QFETCH(QByteArray, warning);
        const World world;
        const Checked checked = world.checkText(world.good()
            + "\n[[providers.compatible]]\nname = \"own\"\nprofile = \"speaches\"\n"
              "url = \"https://speaches.example\"\nmodels = [\"m\"]\n"
            + policies.toStdString());
        QCOMPARE(checked.code, 0);
        QCOMPARE(checked.out, warning.isEmpty() ? QStringLiteral("ok\n") : QStringLiteral("ok, with 1 warning\n"));
        QVERIFY2(
            warning.isEmpty() || checked.says("warning: " + QString::fromUtf8(warning)), checked.all().constData());
        QVERIFY2(warning.isEmpty() || checked.all().contains("(line "), checked.all().constData());
    }

    void check_ServerThatMintsWithoutAKey_IsAWarning()
    {
        const World world;
        const std::string azure = "\n[[providers.compatible]]\nname = \"azure\"\nprofile = \"azure\"\n"
                                  "url = \"https://example.openai.azure.com\"\nmodels = [\"deployment\"]\n";
        const Checked checked = world.checkText(world.good() + azure);
        QCOMPARE(checked.code, 0);
        QVERIFY2(checked.says(QStringLiteral("warning: providers.compatible[0].api_key is not set (AZURE_API_KEY)")),
            checked.all().constData());
    }

    void load_KeyOfGemini_IsTakenAndMissesNoOther()
    {
        Problems problems;
        const Config config = loadConfig({}, environmentOf({{"GEMINI_API_KEY", "key-marker"}}), problems);
        QCOMPARE(config.geminiKey.reveal(), std::string_view("key-marker"));
        QVERIFY(!problems.hasFault());
        const World world;
        std::string text = world.good();
        text.replace(text.find("api_key"), 7, "#");
        text += "\n[providers.gemini]\napi_key = \"key-marker\"\nmodel = \"gemini-9\"\nversion = \"v1alpha\"\n";
        const Checked checked = world.checkText(text);
        QCOMPARE(checked.code, 0);
        QCOMPARE(checked.out, QStringLiteral("ok\n"));
    }

    void check_EveryProblem_IsToldOnceWithItsLine()
    {
        const World world;
        const Checked checked = world.checkText("listen = \"nowhere-marker\"\n" // 1
                                                "lisen = \"marker\"\n" // 2
                                                "secret = \"marker\"\n" // 3
                                                "previous_secret = 7\n" // 4
                                                "[tokens]\n" // 5
                                                "duration = 9\n" // 6
                                                "[limits]\n" // 7
                                                "mints_per_minute = 0\n" // 8
                                                "redis_url = \"marker://x\"\n" // 9
                                                "[database]\n" // 10
                                                "url = \"mysql://marker\"\n" // 11
                                                "[[issuers]]\n" // 12
                                                "url = \"http://login.example\"\n" // 13
                                                "audience = [\"marker\"]\n" // 14
                                                "leeway = 90\n" // 15
                                                "[[service_accounts]]\n" // 16
                                                "name = \"N\"\n"); // 17
        QCOMPARE(checked.code, 2);
        QVERIFY(checked.out.isEmpty());
        const QStringList wanted{QStringLiteral("problem: listen has to be ADDRESS:PORT*(line 1)"),
            QStringLiteral("problem: lisen is not a key of this file: did you mean listen? (line 2)"),
            QStringLiteral("problem: secret has to have 32 bytes or more (line 3)"),
            QStringLiteral("problem: previous_secret has to be a text*(line 4)"),
            QStringLiteral("problem: tokens.duration has to be from*(line 6)"),
            QStringLiteral("problem: limits.mints_per_minute has to be from*(line 8)"),
            QStringLiteral("problem: the URL of Redis*(line 9)"),
            QStringLiteral("problem: database.url has to begin*(line 11)"),
            QStringLiteral("problem: issuers[0].url has to be an https*(line 13)"),
            QStringLiteral("problem: issuers[0].audience is not a key*did you mean issuers[0].audiences? (line 14)"),
            QStringLiteral("problem: issuers[0].leeway has to be from*(line 15)"),
            QStringLiteral("problem: issuers[0].audiences or authorized_parties*(line 12)"),
            QStringLiteral("problem: service_accounts[0].key_hash has to be there (line 16)"),
            QStringLiteral("problem: service_accounts[0].name has to be made of*(line 17)"),
            QStringLiteral("problem: audit.folder has to say*"),
            QStringLiteral("warning: provider.api_key is not set*")};
        for (const QString& pattern : wanted) {
            const QRegularExpression expression(
                QRegularExpression::escape(pattern).replace(QStringLiteral("\\*"), QStringLiteral(".*")));
            QVERIFY2(checked.said.filter(expression).size() == 1, (pattern.toUtf8() + "\n" + checked.all()));
        }
        QCOMPARE(checked.said.size(), wanted.size());
        QVERIFY(!checked.all().contains("marker"));
        // What is found while reading is told from top to bottom.
        qsizetype before = -1;
        for (const int line : {1, 2, 4, 6, 8, 14, 15, 17}) {
            const auto at = checked.said.indexOf(QRegularExpression(QStringLiteral(".*\\(line %1\\)").arg(line)));
            QVERIFY2(at > before, checked.all().constData());
            before = at;
        }
    }

    void check_WhatAVariableSays_IsToldByItsName()
    {
        const World world;
        const Checked checked = world.check(world.path("good.toml"),
            {{"JWT_SECRET", std::string(40, 'x')}, {"DATABASE_URL", "marker"}, {"OIDC_ISSUER", "http://x"}});
        QVERIFY2(checked.says(QStringLiteral("problem: secret can be guessed"))
                && checked.says(QStringLiteral("(JWT_SECRET)")),
            checked.all().constData());
        QVERIFY(checked.says(QStringLiteral("(DATABASE_URL)")));
        QVERIFY(checked.says(QStringLiteral("(OIDC_ISSUER)")));
        QVERIFY(!checked.all().contains("marker"));
    }

    void check_Files_HaveToBeThereAndGood_data()
    {
        QTest::addColumn<QString>("tables");
        QTest::addColumn<QString>("said");
        const auto row = [](const char* name, const char* tables, const char* said) {
            QTest::newRow(name) << QString::fromLatin1(tables) << QString::fromLatin1(said);
        };
        row("good certificate", "[tls]\ncertificate = \"@good\"\nkey = \"@good-key\"", "");
        row("no certificate", "[tls]\ncertificate = \"@none\"\nkey = \"@good-key\"", "tls.certificate names a file");
        row("no key", "[tls]\ncertificate = \"@good\"\nkey = \"@none\"", "tls.key names a file");
        row("key of another", "[tls]\ncertificate = \"@good\"\nkey = \"@other-key\"", "tls.key does not belong");
        row("expired", "[tls]\ncertificate = \"@expired\"\nkey = \"@expired-key\"", "tls.certificate has expired");
        row("certificate that is a key", "[tls]\ncertificate = \"@good-key\"\nkey = \"@good-key\"",
            "tls.certificate names a file");
        row("no authority", "[[issuers]]\nurl = \"https://b\"\naudiences = [\"a\"]\nca_file = \"@none\"",
            "issuers[1].ca_file names a file that cannot be read");
        row("authority without a certificate",
            "[[issuers]]\nurl = \"https://b\"\naudiences = [\"a\"]\nca_file = \"@good-key\"",
            "issuers[1].ca_file names a file without a certificate");
        row("no authority of the webhook", "[projects]\nwebhook_ca_file = \"@none\"",
            "projects.webhook_ca_file names a file that cannot be read");
        row("no keys of tokens", "[tokens]\nkeys = [\"@none\"]", "tokens.keys names a file that cannot be read");
        row("no key of tokens", "[tokens]\nkeys = [\"@good\"]", "tokens.keys names a file that is no private key");
        row("no folder for SQLite", "[database]\nurl = \"sqlite://@none/x.db\"",
            "database.url names a file in a folder");
        row("folder for SQLite", "[database]\nurl = \"sqlite://@x.db\"", "");
    }
    void check_Files_HaveToBeThereAndGood()
    {
        QFETCH(QString, tables);
        QFETCH(QString, said);
        const World world;
        const auto made = net::test::makeCertificates(world.path(""));
        const std::map<QString, std::string> files{{QStringLiteral("@good-key"), made.forLocalhost.privateKey},
            {QStringLiteral("@other-key"), made.forElsewhere.privateKey},
            {QStringLiteral("@expired-key"), made.expired.privateKey},
            {QStringLiteral("@expired"), made.expired.certificateChain},
            {QStringLiteral("@good\""), made.forLocalhost.certificateChain + "\""},
            {QStringLiteral("@"), world.path("")}};
        for (auto file = files.rbegin(); file != files.rend(); ++file) {
            tables.replace(file->first, QString::fromStdString(file->second));
        }
        for (const auto& entry : fs::directory_iterator(world.path(""))) {
            fs::permissions(entry, fs::perms::owner_read | fs::perms::owner_write);
        }
        const Checked checked = world.checkText(world.good({}, tables.toStdString()));
        const QStringList problems = checked.said.filter(QStringLiteral("problem: "));
        QCOMPARE(problems.size(), qsizetype{said.isEmpty() ? 0 : 1});
        QVERIFY2(said.isEmpty() || problems.front().startsWith(QStringLiteral("problem: ") + said),
            checked.all().constData());
        QCOMPARE(checked.code, said.isEmpty() ? 0 : 2);
        // The certificates of the test are for a day.
        QCOMPARE(checked.says(QStringLiteral("warning: tls.certificate expires within two weeks")),
            tables.contains(made.forLocalhost.certificateChain.c_str()) && tables.contains(u"[tls]"));
    }

    void check_AuditFolder_HasToBeUsable()
    {
        const World world;
        std::string text = world.good();
        text.replace(text.find("/audit"), 6, "/good.toml");
        QVERIFY(world.checkText(text).says(
            QStringLiteral("problem: audit.folder names a folder that cannot be written to")));
        text.replace(text.find("/good.toml"), 10, "/not/there");
        QVERIFY(world.checkText(text).says(QStringLiteral("problem: audit.folder names")));
    }

    void check_SecretsThatOthersCanRead_AreAProblem()
    {
        const World world;
        const std::string file = world.write("open.toml", world.good(), 0644);
        // Nobody gets there: the folder is closed.
        QCOMPARE(world.check(file).code, 0);
        if (!isOpenAbove(world.path(""))) {
            QSKIP("the folder for temporary files is closed to others");
        }
        fs::permissions(world.path(""), fs::perms(0755));
        const Checked open = world.check(file);
        QCOMPARE(open.code, 2);
        QVERIFY2(open.says(QStringLiteral("problem: --config names a file with a secret that everybody")),
            open.all().constData());
        ::chmod(file.c_str(), 0640);
        const Checked group = world.check(file);
        QCOMPARE(group.code, 0);
        QVERIFY2(group.says(QStringLiteral("warning: --config names a file with a secret that its whole group")),
            group.all().constData());
        // Without a secret in it there is nothing to hide.
        const std::string plain = world.write("plain.toml", "[log]\nlevel = \"debug\"\n", 0644);
        QVERIFY(!world.check(plain).says(QStringLiteral("--config")));
        const std::string secret = world.write("jwt", tests::kTestSecret, 0644);
        QVERIFY(world.check(world.path("good.toml"), {{"JWT_SECRET_FILE", secret}})
                    .says(QStringLiteral("problem: JWT_SECRET_FILE names a file with a secret that everybody")));
    }

    void start_WithSecretsThatOthersCanRead_Goes()
    {
        const World world;
        if (!isOpenAbove(world.path(""))) {
            QSKIP("the folder for temporary files is closed to others");
        }
        fs::permissions(world.path(""), fs::perms(0755));
        Problems problems;
        Overrides overrides;
        overrides.configFile = world.write("open.toml", world.good(), 0644);
        (void)loadConfig(overrides, environmentOf({}), problems);
        QVERIFY(!problems.hasFault());
        QCOMPARE(problems.count(Problems::Severity::Exposure), std::size_t{1});
    }

    void problems_WithoutEnd_AreBounded()
    {
        const World world;
        std::string text;
        for (int i = 0; i < 5'000; ++i) {
            text += "unknown" + std::to_string(i) + " = 1\n";
        }
        const Checked checked = world.checkText(text);
        QCOMPARE(checked.code, 2);
        QVERIFY(checked.said.size() <= 100);
    }

    void secret_FromEachSource_WinsOverThoseBelow_data()
    {
        QTest::addColumn<QByteArray>("variable");
        QTest::addColumn<QByteArray>("credential");
        QTest::addColumn<QByteArray>("table");
        QTest::addColumn<QByteArray>("key");
        QTest::newRow("provider's key") << QByteArray("OPENAI_API_KEY") << QByteArray("openai_api_key")
                                        << QByteArray("provider") << QByteArray("api_key");
        QTest::newRow("secret") << QByteArray("JWT_SECRET") << QByteArray("jwt_secret") << QByteArray()
                                << QByteArray("secret");
        QTest::newRow("secret before") << QByteArray("JWT_SECRET_PREVIOUS") << QByteArray("jwt_secret_previous")
                                       << QByteArray() << QByteArray("previous_secret");
        QTest::newRow("database") << QByteArray("DATABASE_URL") << QByteArray("database_url") << QByteArray("database")
                                  << QByteArray("url");
        QTest::newRow("Redis") << QByteArray("REDIS_URL") << QByteArray("redis_url") << QByteArray("limits")
                               << QByteArray("redis_url");
    }
    void secret_FromEachSource_WinsOverThoseBelow()
    {
        QFETCH(QByteArray, variable);
        QFETCH(QByteArray, credential);
        QFETCH(QByteArray, table);
        QFETCH(QByteArray, key);
        const World world;
        const std::string name = variable.toStdString();
        const auto valueOf = [&](const std::string& source) {
            return name == "DATABASE_URL" ? "postgresql://u:" + source + "@h/d"
                : name == "REDIS_URL"     ? "redis://:" + source + "@h"
                                          : source + tests::kTestSecret;
        };
        const std::string member = (table.isEmpty() ? key : table + "." + key).toStdString();
        const auto& sources = secretSources();
        const auto source =
            std::find_if(sources.begin(), sources.end(), [&](const SecretSource& one) { return one.key == member; });
        QVERIFY(source != sources.end());
        const std::string head = table.isEmpty() ? std::string() : "[" + table.toStdString() + "]\n";
        const std::string other =
            name == "REDIS_URL" ? std::string("secret = \"") + tests::kOtherTestSecret + "\"\n" : "";
        const auto resultOf = [&](const std::string& line, const Variables& variables) {
            Problems problems;
            const Config config = world.load(other + head + line, variables, problems);
            return problems.hasFault() ? "fault: " + problems.firstFault().detail
                                       : std::string((config.*source->member).reveal());
        };
        const std::string inFile = key.toStdString() + " = \"" + valueOf("toml") + "\"\n";
        const std::string byFile =
            key.toStdString() + "_file = \"" + world.write("by-toml", valueOf("by-toml") + "\n") + "\"\n";
        fs::create_directory(world.path("credentials"));
        world.write("credentials/" + credential.toStdString(), valueOf("credential") + "\n");
        Variables variables;
        QCOMPARE(resultOf({}, variables), std::string());
        QCOMPARE(resultOf(inFile, variables), valueOf("toml"));
        QCOMPARE(resultOf(byFile, variables), valueOf("by-toml"));
        variables["CREDENTIALS_DIRECTORY"] = world.path("credentials");
        QCOMPARE(resultOf(inFile, variables), valueOf("credential"));
        variables[name + "_FILE"] = world.write("by-variable", valueOf("variable-file") + "\n");
        QCOMPARE(resultOf(inFile, variables), valueOf("variable-file"));
        variables[name] = valueOf("variable");
        const std::string both = resultOf(inFile, variables);
        QCOMPARE(both, "fault: " + name + " and " + name + "_FILE cannot both be set");
        variables.erase(name + "_FILE");
        QCOMPARE(resultOf(inFile, variables), valueOf("variable"));
        const std::string pair = resultOf(inFile + byFile, {});
        QVERIFY2(pair.find("_file and " + member + " cannot both be set") != std::string::npos, pair.c_str());
    }

    void secretFile_ThatCannotBe_IsAFaultByItsName()
    {
        const World world;
        fs::create_directory(world.path("credentials"));
        const std::string empty = world.write("empty", "\n");
        const std::string great = world.write("great", std::string(16 * 1024 + 1, 'x'));
        for (const std::string& file : {empty, great, world.path("none"), world.path("")}) {
            const Checked checked = world.check(world.path("good.toml"), {{"OPENAI_API_KEY_FILE", file}});
            QCOMPARE(checked.code, 2);
            QVERIFY2(checked.says(
                         QStringLiteral("problem: OPENAI_API_KEY_FILE names a file that cannot be read, is empty or")),
                checked.all().constData());
        }
        world.write("credentials/openai_api_key", "");
        const Checked checked =
            world.check(world.path("good.toml"), {{"CREDENTIALS_DIRECTORY", world.path("credentials")}});
        QVERIFY2(checked.says(QStringLiteral("problem: the credential openai_api_key cannot be read")),
            checked.all().constData());
        const std::string words = world.write("words", "two words-marker");
        const Checked spaced = world.check(world.path("good.toml"), {{"OPENAI_API_KEY_FILE", words}});
        QVERIFY(spaced.says(QStringLiteral("OPENAI_API_KEY_FILE has to be one word")));
        QVERIFY(!spaced.all().contains("marker"));
    }

    void secretFile_ThatNeverEnds_IsRefusedAndNotRead()
    {
        const World world;
        QVERIFY(world.check(world.path("good.toml"), {{"JWT_SECRET_FILE", "/dev/zero"}})
                    .says(QStringLiteral("problem: JWT_SECRET_FILE names")));
    }

    void secrets_ThatAreWeak_AreRefusedWhereverTheyComeFrom()
    {
        const World world;
        const std::string weak = "your-secret-key-please-change-this-in-production";
        const std::string file = world.write("weak", weak);
        QVERIFY(world.check(world.path("good.toml"), {{"JWT_SECRET_FILE", file}})
                    .says(QStringLiteral("problem: secret is made of words")));
        QVERIFY(world.check(world.path("good.toml"), {{"JWT_SECRET_PREVIOUS", weak}})
                    .says(QStringLiteral("problem: previous_secret is made of words")));
        const auto loaded = loadConfig({}, environmentOf({{"JWT_SECRET", weak}}));
        QVERIFY(!loaded);
        QVERIFY(loaded.error().detail.find("please") == std::string::npos);
    }

    void load_WithMoreThanOneFault_SaysHowMany()
    {
        const auto loaded = loadConfig({}, environmentOf({{"JWT_SECRET", "x"}, {"ALLOWED_ORIGINS", "*"}}));
        QVERIFY(!loaded);
        QVERIFY2(loaded.error().detail.find("; 1 more: vivavoce-broker check-config") != std::string::npos,
            loaded.error().detail.c_str());
    }

    void load_Environment_IsAskedForEveryNameEachTime()
    {
        std::vector<std::string> first;
        std::vector<std::string> second;
        for (auto* names : {&first, &second}) {
            Problems problems;
            (void)loadConfig(
                {},
                [&](const char* name) -> std::optional<std::string> {
                    names->emplace_back(name);
                    return std::string(name) == "JWT_SECRET" ? std::optional<std::string>("x") : std::nullopt;
                },
                problems);
        }
        QCOMPARE(first, second);
        for (const SecretSource& source : secretSources()) {
            for (const char* name : {source.variable, source.fileVariable}) {
                QCOMPARE(std::count(first.begin(), first.end(), std::string(name)), std::ptrdiff_t{1});
            }
        }
        QCOMPARE(std::count(first.begin(), first.end(), std::string("CREDENTIALS_DIRECTORY")), std::ptrdiff_t{1});
    }

    void options_OfSetUp_AreRead()
    {
        const char* init[] = {"vivavoce-broker", "init", "--production", "x.toml"};
        const auto made = parseOptions(4, init);
        QVERIFY(made && std::holds_alternative<InitConfig>(*made));
        QCOMPARE(std::get<InitConfig>(*made).path, std::string("x.toml"));
        QVERIFY(std::get<InitConfig>(*made).profile == Profile::Production);
        const char* bare[] = {"vivavoce-broker", "init"};
        QCOMPARE(std::get<InitConfig>(*parseOptions(2, bare)).path, std::string("broker.toml"));
        QVERIFY(std::get<InitConfig>(*parseOptions(2, bare)).profile == Profile::Local);
        const char* check[] = {"vivavoce-broker", "check-config", "--config", "x.toml"};
        const auto checked = parseOptions(4, check);
        QVERIFY(checked && std::holds_alternative<CheckConfig>(*checked));
        QCOMPARE(std::get<CheckConfig>(*checked).overrides.configFile, std::optional<std::string>("x.toml"));
        QVERIFY(!std::get<CheckConfig>(*checked).connects);
        const char* connect[] = {"vivavoce-broker", "check-config", "--connect"};
        QVERIFY(std::get<CheckConfig>(*parseOptions(3, connect)).connects);
        for (const char* name : {"init", "check-config"}) {
            const char* help[] = {"vivavoce-broker", name, "--help"};
            const auto printed = parseOptions(3, help);
            QVERIFY(printed && std::holds_alternative<PrintAndLeave>(*printed));
            QVERIFY(std::get<PrintAndLeave>(*printed).text.find("xit code") != std::string::npos);
        }
    }
};

QTEST_GUILESS_MAIN(TestBrokerSetup)
#include "test_broker_setup.moc"
