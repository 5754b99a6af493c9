#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QMap>
#include <QRegularExpression>
#include <QSet>
#include <QTest>

namespace {

/// What a dependency of the build is called by those who package it; several names where it takes several, none where there is
/// nothing to install or it is not to be had.
struct Row {
    QString debian;
    QString fedora;
    QString brew;
    QString vcpkg;
};

const Row kQtBase{
    QStringLiteral("qt6-base-dev"), QStringLiteral("qt6-qtbase-devel"), QStringLiteral("qt"), QStringLiteral("qtbase")};
const Row kQtQml{QStringLiteral("qt6-declarative-dev"), QStringLiteral("qt6-qtdeclarative-devel"), QStringLiteral("qt"),
    QStringLiteral("qtdeclarative")};

Row row(const char* debian, const char* fedora, const char* brew, const char* vcpkg)
{
    return {QString::fromLatin1(debian), QString::fromLatin1(fedora), QString::fromLatin1(brew),
        QString::fromLatin1(vcpkg)};
}

/// By the name that cmake/dependencies.cmake asks for.
const QMap<QString, Row>& table()
{
    static const QMap<QString, Row> rows{
        {QStringLiteral("Threads"), {}},
        {QStringLiteral("PkgConfig"), row("pkg-config", "pkgconf-pkg-config", "pkgconf", "pkgconf")},
        {QStringLiteral("nlohmann_json"), row("nlohmann-json3-dev", "json-devel", "nlohmann-json", "nlohmann-json")},
        {QStringLiteral("tl-expected"), row("libexpected-dev", "expected-devel", "tl-expected", "tl-expected")},
        {QStringLiteral("valijson/validator.hpp"), row("libvalijson-dev", "valijson-devel", "valijson", "valijson")},
        {QStringLiteral("OpenSSL"), row("libssl-dev", "openssl-devel", "openssl@3", "openssl")},
        {QStringLiteral("Boost"), row("libboost1.81-dev", "boost-devel", "boost", "boost-asio boost-beast")},
        {QStringLiteral("spdlog"), row("libspdlog-dev", "spdlog-devel", "spdlog", "spdlog")},
        {QStringLiteral("CLI11"), row("libcli11-dev", "cli11-devel", "cli11", "cli11")},
        {QStringLiteral("tomlplusplus"),
            row("libtomlplusplus-dev", "tomlplusplus-devel", "tomlplusplus", "tomlplusplus")},
        {QStringLiteral("simdjson"), row("libsimdjson-dev", "simdjson-devel", "simdjson", "simdjson")},
        {QStringLiteral("sndfile"), row("libsndfile1-dev", "libsndfile-devel", "libsndfile", "libsndfile")},
        {QStringLiteral("speexdsp"), row("libspeexdsp-dev", "speexdsp-devel", "speexdsp", "speexdsp")},
        {QStringLiteral("opus"), row("libopus-dev", "opus-devel", "opus", "opus")},
        // Not in vcpkg.
        {QStringLiteral("webrtc-audio-processing"),
            row("libwebrtc-audio-processing-dev", "webrtc-audio-processing-devel", "webrtc-audio-processing", "")},
        {QStringLiteral("prometheus-cpp-core"),
            row("prometheus-cpp-dev", "prometheus-cpp-devel", "prometheus-cpp", "prometheus-cpp")},
        {QStringLiteral("CURL"), row("libcurl4-openssl-dev", "libcurl-devel", "curl", "curl")},
        {QStringLiteral("hiredis"), row("libhiredis-dev", "hiredis-devel", "hiredis", "hiredis")},
        {QStringLiteral("hiredis_ssl"), row("libhiredis-dev", "hiredis-devel", "hiredis", "hiredis")},
        {QStringLiteral("SOCI"), row("libsoci-dev", "soci-devel", "soci", "soci")},
        {QStringLiteral("soci/soci.h"), row("libsoci-dev", "soci-devel", "soci", "soci")},
        {QStringLiteral("soci_${part}"),
            row("libsoci-dev", "soci-sqlite3-devel soci-postgresql-devel", "soci", "soci")},
        // macOS brings it; vcpkg's SOCI does.
        {QStringLiteral("sqlite3.h"), row("libsqlite3-dev", "sqlite-devel", "", "")},
        {QStringLiteral("libpq-fe.h"), row("libpq-dev", "libpq-devel", "libpq", "")},
        {QStringLiteral("Qt6::Core"), kQtBase},
        {QStringLiteral("Qt6::Network"), kQtBase},
        {QStringLiteral("Qt6::Sql"), kQtBase},
        {QStringLiteral("Qt6::Gui"), kQtBase},
        {QStringLiteral("Qt6::Test"), kQtBase},
        {QStringLiteral("Qt6::Qml"), kQtQml},
        {QStringLiteral("Qt6::Quick"), kQtQml},
        {QStringLiteral("Qt6::QuickTest"), kQtQml},
        {QStringLiteral("Qt6::WebSockets"), row("qt6-websockets-dev", "qt6-qtwebsockets-devel", "qt", "qtwebsockets")},
        {QStringLiteral("Qt6::Multimedia"), row("qt6-multimedia-dev", "qt6-qtmultimedia-devel", "qt", "qtmultimedia")},
        {QStringLiteral("Qt6::Svg"), row("qt6-svg-dev", "qt6-qtsvg-devel", "qt", "qtsvg")},
        {QStringLiteral("Qt6::NetworkAuth"),
            row("qt6-networkauth-dev", "qt6-qtnetworkauth-devel", "qt", "qtnetworkauth")},
        {QStringLiteral("portaudio-2.0"), row("portaudio19-dev", "portaudio-devel", "portaudio", "portaudio")},
        // The offline agent's: left out of the build where they are not to be had.
        {QStringLiteral("pocketsphinx"), row("libpocketsphinx-dev libsphinxbase-dev", "pocketsphinx-devel", "", "")},
        {QStringLiteral("flite"), row("flite1-dev", "flite-devel", "flite", "")},
        {QStringLiteral("flite/flite.h"), row("flite1-dev", "flite-devel", "flite", "")},
    };
    return rows;
}

QString contents(const char* name)
{
    QFile file(qEnvironmentVariable("VV_SOURCE_DIR") + QLatin1Char('/') + QString::fromLatin1(name));
    return file.open(QIODevice::ReadOnly) ? QString::fromUtf8(file.readAll()) : QString();
}

/// What dependencies.cmake looks for, by the names that it looks with.
QSet<QString> lookedFor()
{
    static const QRegularExpression word(
        QStringLiteral("find_package\\(([\\w-]+)(?:[^)]* COMPONENTS ([\\w ]+?)(?: QUIET| REQUIRED)?\\))?"
                       "|pkg_check_modules\\(\\w+ (?:REQUIRED )?IMPORTED_TARGET ([\\w.-]+)"
                       "|find_(?:path|library)\\(\\S+ ([\\w./${}-]+)"));
    QSet<QString> names;
    auto matches = word.globalMatch(contents("cmake/dependencies.cmake"));
    while (matches.hasNext()) {
        const auto match = matches.next();
        const QStringList parts = match.captured(2).split(QLatin1Char(' '), Qt::SkipEmptyParts);
        for (const QString& part : parts) {
            names.insert(match.captured(1) + QStringLiteral("::") + part);
        }
        for (const int group : {1, 3, 4}) {
            if (!match.captured(group).isEmpty() && parts.isEmpty()) {
                names.insert(match.captured(group));
            }
        }
    }
    return names;
}

QSet<QString> linesOf(const char* manifest)
{
    QSet<QString> names;
    for (const QString& line : contents(manifest).split(QLatin1Char('\n'))) {
        names.insert(line.section(QLatin1Char('#'), 0, 0).trimmed());
    }
    return names;
}

QSet<QString> formulas()
{
    static const QRegularExpression formula(QStringLiteral("^brew \"([^\"]+)\""), QRegularExpression::MultilineOption);
    QSet<QString> names;
    auto matches = formula.globalMatch(contents("packaging/macos/Brewfile"));
    while (matches.hasNext()) {
        names.insert(matches.next().captured(1));
    }
    return names;
}

QSet<QString> ports()
{
    QSet<QString> names;
    const auto manifest = QJsonDocument::fromJson(contents("vcpkg.json").toUtf8()).object();
    for (const auto& port : manifest.value(QStringLiteral("dependencies")).toArray()) {
        names.insert(port.isString() ? port.toString() : port.toObject().value(QStringLiteral("name")).toString());
    }
    return names;
}

void compare(const QString& dependency, const QString& wanted, const QSet<QString>& listed, const char* manifest)
{
    for (const QString& name : wanted.split(QLatin1Char(' '), Qt::SkipEmptyParts)) {
        QVERIFY2(listed.contains(name),
            qPrintable(
                QStringLiteral("%1 (for %2) is not in %3").arg(name, dependency, QString::fromLatin1(manifest))));
    }
}

} // namespace

/// Whoever builds somewhere else than we do learns of a missing package from its list, not from a configure step that stops.
class ManifestsTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void everyDependency_IsInEveryList()
    {
        const QSet<QString> names = lookedFor();
        QVERIFY2(names.size() > 20, "the build's file is not read as it was written");
        const QSet<QString> debian = linesOf("packaging/linux/debian-build.txt");
        const QSet<QString> fedora = linesOf("packaging/linux/fedora-build.txt");
        for (const QString& name : names) {
            QVERIFY2(table().contains(name), qPrintable(name + QStringLiteral(" has no row in this test")));
            const Row row = table().value(name);
            compare(name, row.debian, debian, "debian-build.txt");
            compare(name, row.fedora, fedora, "fedora-build.txt");
            compare(name, row.brew, formulas(), "Brewfile");
            compare(name, row.vcpkg, ports(), "vcpkg.json");
        }
    }

    void everyHeaderPackage_IsOfADependency()
    {
        QSet<QString> wanted;
        const QSet<QString> names = lookedFor();
        for (const QString& name : names) {
            const QStringList some = table().value(name).debian.split(QLatin1Char(' '));
            wanted += QSet<QString>(some.begin(), some.end());
        }
        for (const QString& package : linesOf("packaging/linux/debian-build.txt")) {
            QVERIFY2(!package.endsWith(QStringLiteral("-dev")) || wanted.contains(package),
                qPrintable(package + QStringLiteral(" is installed for nothing")));
        }
    }
};

QTEST_GUILESS_MAIN(ManifestsTest)
#include "test_manifests.moc"
