#include "app/platform/private_files.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QTemporaryDir>
#include <QTest>

using namespace vivavoce;

namespace {

QByteArray contentOf(const QString& path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray("cannot be read");
}

} // namespace

class PrivateFilesTest : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;
    platform::PrivateFiles m_files;

    [[nodiscard]] std::string path(const char* name) const
    {
        return m_folder.filePath(QString::fromLatin1(name)).toStdString();
    }

private Q_SLOTS:
    void file_IsWrittenWhole_ForItsUserAlone()
    {
        const QString name = m_folder.filePath(QStringLiteral("Gespräch.txt"));
        const std::string words = "two\nlines";
        QVERIFY(!m_files.exists(name.toStdString()));
        QVERIFY(m_files.write(name.toStdString(), words).has_value());
        QVERIFY(m_files.exists(name.toStdString()));
        QCOMPARE(contentOf(name), QByteArray::fromStdString(words));
        // Also where somebody had it readable before.
        QVERIFY(
            QFile::setPermissions(name, QFile::ReadOwner | QFile::WriteOwner | QFile::ReadGroup | QFile::ReadOther));
        QVERIFY(m_files.write(name.toStdString(), "anew").has_value());
        QCOMPARE(contentOf(name), QByteArray("anew"));
#ifdef Q_OS_UNIX
        QVERIFY(!(QFileInfo(name).permissions()
            & (QFile::ReadGroup | QFile::WriteGroup | QFile::ReadOther | QFile::WriteOther)));
#endif
        QCOMPARE(QDir(m_folder.path()).entryList(QDir::Files | QDir::Hidden).size(), 1);
    }

    void placeThatIsNone_IsToldBefore()
    {
        QVERIFY(m_files.check(path("a.txt")).has_value());
        QVERIFY(QDir(m_folder.path()).mkdir(QStringLiteral("folder.txt")));
        for (const char* none : {"folder.txt", "no/a.txt"}) {
            QCOMPARE(m_files.check(path(none)).error().code, core::ErrorCode::OutputUnwritable);
            QCOMPARE(m_files.write(path(none), "x").error().code, core::ErrorCode::OutputUnwritable);
        }
    }

    void placeThatTakesNoFile_IsToldBefore_AndATrialLeavesNothing()
    {
        // A name that no file system takes; and a folder that lets look like one that may be written to.
        QVERIFY(!m_files.check(path(std::string(300, 'x').append(".txt").c_str())).has_value());
        if (QFileInfo(QStringLiteral("/proc")).isWritable()) {
            QCOMPARE(m_files.check("/proc/vivavoce.txt").error().code, core::ErrorCode::OutputUnwritable);
        }
        QTemporaryDir empty;
        const QString kept = empty.filePath(QStringLiteral("kept.txt"));
        QVERIFY(m_files.write(kept.toStdString(), "as it was").has_value());
        QVERIFY(m_files.check(kept.toStdString()).has_value());
        QVERIFY(m_files.check(empty.filePath(QStringLiteral("new.txt")).toStdString()).has_value());
        QCOMPARE(contentOf(kept), QByteArray("as it was"));
        QCOMPARE(QDir(empty.path()).entryList(QDir::Files | QDir::Hidden), QStringList{QStringLiteral("kept.txt")});
    }

    void device_IsWrittenTo_NotReplaced()
    {
        if (!QFileInfo::exists(QStringLiteral("/dev/full"))) {
            QSKIP("no such device here");
        }
        QVERIFY(m_files.write("/dev/null", "x").has_value());
        QVERIFY(!QFileInfo(QStringLiteral("/dev/null")).isFile());
        QCOMPARE(m_files.write("/dev/full", "x").error().code, core::ErrorCode::OutputUnwritable);
        QVERIFY(!QFileInfo(QStringLiteral("/dev/full")).isFile());
    }

    void usualFolder_IsThere()
    {
        QVERIFY(QFileInfo(QString::fromStdString(m_files.usualFolder())).isDir());
    }
};

QTEST_GUILESS_MAIN(PrivateFilesTest)
#include "test_private_files.moc"
