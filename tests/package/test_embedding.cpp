#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

/// Somebody else's program finds an installed Vivavoce, builds against it and takes a token.
class EmbeddingTest : public QObject {
    Q_OBJECT

    static QByteArray run(const QString& program, const QStringList& arguments)
    {
        QProcess process;
        process.setProcessChannelMode(QProcess::MergedChannels);
        process.start(program, arguments);
        const bool isWell =
            process.waitForFinished(100'000) && process.exitStatus() == QProcess::NormalExit && process.exitCode() == 0;
        const QByteArray said = process.readAll();
        return isWell ? said : "FAILED: " + program.toUtf8() + '\n' + said + process.errorString().toUtf8();
    }

private Q_SLOTS:
    void program_FindsBuildsAndTakesAToken()
    {
        const QString cmake = QStringLiteral(VV_CMAKE);
        const QString source = QStringLiteral(VV_EMBEDDING);
        const QTemporaryDir folder;
        const QString prefix = folder.filePath(QStringLiteral("prefix"));
        const QString build = folder.filePath(QStringLiteral("build"));
        const QByteArray installed = run(cmake,
            {QStringLiteral("--install"), QStringLiteral(VV_BUILD), QStringLiteral("--prefix"), prefix,
                QStringLiteral("--component"), QStringLiteral("development")});
        QVERIFY2(!installed.startsWith("FAILED"), installed.constData());
        QVERIFY2(!installed.contains("/internal/"), "what is internal was installed");
        const QByteArray configured = run(cmake,
            {QStringLiteral("-S"), source, QStringLiteral("-B"), build, QStringLiteral("-G"),
                QStringLiteral(VV_GENERATOR), QStringLiteral("-DCMAKE_PREFIX_PATH=") + prefix,
                QStringLiteral("-DCMAKE_BUILD_TYPE=Debug"), QStringLiteral("-DCMAKE_CXX_COMPILER=" VV_COMPILER)});
        QVERIFY2(!configured.startsWith("FAILED"), configured.constData());
        const QByteArray built = run(cmake, {QStringLiteral("--build"), build});
        QVERIFY2(!built.startsWith("FAILED"), built.constData());
        const QByteArray said = run(build + QStringLiteral("/embedding"), {});
        QVERIFY2(said.contains("POST https://broker.example/api/voice-agent/token"), said.constData());
        QVERIFY2(
            said.contains("session voice_1 at wss://api.openai.com/v1/realtime?model=gpt-realtime"), said.constData());
    }
};

QTEST_GUILESS_MAIN(EmbeddingTest)
#include "test_embedding.moc"
