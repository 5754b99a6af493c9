#include "tests/layers/include_rules.h"

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using namespace vivavoce::layers;

namespace {

/// A small tree on disk that breaks no rule.
class Tree {
public:
    Tree()
    {
        write("core/base/error.h",
            "#pragma once\n#include \"core/base/units.h\"\n#include <string>\n#include <tl/expected.hpp>\n");
        write("core/base/units.h", "#pragma once\n#include <chrono>\n");
        write("core/base/internal/pages.h", "#pragma once\n#include <sys/mman.h>\n");
        write("core/base/secret.cpp", "#include \"core/base/internal/pages.h\"\n#include <nlohmann/json.hpp>\n");
        write(
            "net/server.cpp", "#include \"core/base/error.h\"\n#include <boost/asio.hpp>\n#include <openssl/ssl.h>\n");
        write("broker/main.cpp", "#include \"broker/broker.h\"\n#include \"net/server.h\"\n");
        write("app/platform/transport.cpp",
            "#include \"core/base/error.h\"\n#include <QWebSocket>\n#include \"transport.moc\"\n");
    }

    void write(const char* name, const QByteArray& text)
    {
        const QString path = m_folder.filePath(QString::fromLatin1(name));
        QVERIFY(QDir().mkpath(QFileInfo(path).path()));
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly));
        QCOMPARE(file.write(text), text.size());
    }

    [[nodiscard]] std::string root() const { return m_folder.path().toStdString(); }

private:
    QTemporaryDir m_folder;
};

} // namespace

class TestIncludeRules : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void thisTree_HasNoForbiddenInclude();
    void smallTree_WithoutASin_IsClean();
    void smallTree_WithOnePlanted_FindsIt_data();
    void smallTree_WithOnePlanted_FindsIt();
};

void TestIncludeRules::thisTree_HasNoForbiddenInclude()
{
    const Report report = checkTree(qgetenv("VV_SOURCE_DIR").toStdString());
    for (const Finding& finding : report.findings) {
        qWarning("%s:%d: #include %s: %s", finding.file.c_str(), finding.line, finding.include.c_str(),
            finding.reason.c_str());
    }
    QCOMPARE(report.findings.size(), std::size_t{0});
    // A walk that went to the wrong place would find nothing either.
    QVERIFY(report.files > 50);
    QVERIFY(report.includes > 200);
}

void TestIncludeRules::smallTree_WithoutASin_IsClean()
{
    const Tree tree;
    const Report report = checkTree(tree.root());
    for (const Finding& finding : report.findings) {
        qWarning("%s:%d: #include %s: %s", finding.file.c_str(), finding.line, finding.include.c_str(),
            finding.reason.c_str());
    }
    QCOMPARE(report.findings.size(), std::size_t{0});
    QCOMPARE(report.files, 7);
    QCOMPARE(report.includes, 15);
}

void TestIncludeRules::smallTree_WithOnePlanted_FindsIt_data()
{
    QTest::addColumn<QString>("file");
    QTest::addColumn<QString>("include");

    const auto row = [](const char* name, const char* file, const char* include) {
        QTest::newRow(name) << QString::fromLatin1(file) << QString::fromLatin1(include);
    };
    row("core takes Qt", "core/token/source.cpp", "<QString>");
    row("core takes a Qt header of old", "core/token/source.cpp", "<qglobal.h>");
    row("core takes Boost", "core/token/source.h", "<boost/asio.hpp>");
    row("core takes a sibling", "core/token/source.h", "\"net/server.h\"");
    row("core takes JSON whole in a header", "core/token/source.h", "<nlohmann/json.hpp>");
    row("net takes Qt", "net/listener.cpp", "<QtCore/QObject>");
    row("net takes the broker", "net/listener.cpp", "\"broker/broker.h\"");
    row("the agent takes the broker", "agent/brain.cpp", "\"broker/broker.h\"");
    row("the broker takes the agent", "broker/http/routes.cpp", "\"agent/ports.h\"");
    row("the broker takes a recogniser", "broker/http/routes.cpp", "<pocketsphinx/pocketsphinx.h>");
    row("dsp takes Qt", "audio/dsp/resampler.cpp", "<QVector>");
    row("dsp takes the rest of audio", "audio/dsp/resampler.cpp", "\"audio/audio_engine.h\"");
    row("the device thread's folder takes core", "audio/rt/ring.h", "\"core/base/error.h\"");
    row("platform takes the embedded services", "app/platform/http.cpp", "\"app/embedded/child_process.h\"");
    row("somebody else's internals", "core/token/source.cpp", "\"core/base/internal/pages.h\"");
    row("somebody else's internals, from a main", "agent/main.cpp", "\"core/base/internal/pages.h\"");
    row("a path that does not start at the root", "core/token/source.cpp", "\"token_source.h\"");
    row("a path upwards", "core/token/source.cpp", "\"../base/error.h\"");
    row("a path that turns round", "core/token/source.cpp", "\"core/../net/server.h\"");
    row("a library nobody knows", "broker/http/routes.cpp", "<crow/app.h>");
    row("a header of a folder without a row", "ui/tray/tray.cpp", "<QSystemTrayIcon>");
}

void TestIncludeRules::smallTree_WithOnePlanted_FindsIt()
{
    QFETCH(QString, file);
    QFETCH(QString, include);
    Tree tree;
    tree.write(
        file.toLatin1().constData(), "#include <string>\n\n  #  include " + include.toLatin1() + " // why not\n");

    const Report report = checkTree(tree.root());

    QCOMPARE(report.findings.size(), std::size_t{1});
    QCOMPARE(QString::fromStdString(report.findings.front().file), file);
    QCOMPARE(QString::fromStdString(report.findings.front().include), include);
    QCOMPARE(report.findings.front().line, 3);
    QVERIFY(!report.findings.front().reason.empty());
}

QTEST_GUILESS_MAIN(TestIncludeRules)

#include "test_include_rules.moc"
