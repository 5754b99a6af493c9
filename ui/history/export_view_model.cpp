#include "ui/history/export_view_model.h"

#include "ui/style/error_text.h"
#include "ui/style/typed_path.h"

#include <QDateTime>
#include <QFileInfo>

namespace vivavoce::ui {
namespace {

QString endingOf(core::TranscriptFormat format)
{
    const std::string_view ending = core::fileEnding(format);
    return QString::fromLatin1(ending.data(), static_cast<qsizetype>(ending.size()));
}

} // namespace

ExportViewModel::ExportViewModel(core::TextFiles& files, QObject* parent) : QObject(parent), m_files(files) {}

void ExportViewModel::begin(core::Transcript transcript)
{
    m_transcript = std::move(transcript);
    const auto started =
        std::chrono::duration_cast<core::Milliseconds>(m_transcript.startedAt.time_since_epoch()).count();
    // A name that every file system takes, and that sorts by time.
    m_path = QString::fromStdString(m_files.usualFolder()) + QStringLiteral("/Vivavoce ")
        + QDateTime::fromMSecsSinceEpoch(started).toString(QStringLiteral("yyyy-MM-dd HH.mm"))
        + endingOf(core::TranscriptFormat::Markdown);
    forgetOutcome();
    Q_EMIT changed();
    Q_EMIT wanted();
}

void ExportViewModel::save()
{
    if (!m_isSaved) {
        write();
        Q_EMIT changed();
    }
}

void ExportViewModel::write()
{
    // Shown whole: whoever typed less sees where it goes.
    m_path = typedPath(m_path, QString::fromStdString(m_files.usualFolder()));
    const std::string path = m_path.toStdString();
    const auto format = core::transcriptFormatOf(path);
    if (!format) {
        m_fault = tr("The name has to end with .txt, .md, .json, .srt or .vtt.");
    } else if (const auto checked = m_files.check(path); !checked) {
        const QString folder = QFileInfo(m_path).path();
        m_fault =
            QFileInfo(folder).isDir() ? errorText(checked.error()).sentence : tr("There is no folder %1.").arg(folder);
    } else if (m_files.exists(path) && !m_isReplacing) {
        m_isReplacing = true;
    } else if (const auto written = m_files.write(path, core::exportTranscript(m_transcript, *format)); !written) {
        m_fault = errorText(written.error()).sentence;
        m_isReplacing = false;
    } else {
        m_fault.clear();
        m_isReplacing = false;
        m_isSaved = true;
    }
}

QStringList ExportViewModel::formats() const
{
    return {tr("Text"), tr("Markdown"), tr("JSON"), tr("Subtitles (SubRip)"), tr("Subtitles (WebVTT)")};
}

int ExportViewModel::format() const
{
    const auto format = core::transcriptFormatOf(m_path.toStdString());
    return format ? static_cast<int>(*format) : -1;
}

void ExportViewModel::setFormat(int format)
{
    if (format < 0 || static_cast<std::size_t>(format) >= core::kTranscriptFormats.size()) {
        return;
    }
    QString path = m_path;
    if (const auto before = core::transcriptFormatOf(path.toStdString())) {
        path.chop(endingOf(*before).size());
    }
    setPath(path + endingOf(core::kTranscriptFormats[static_cast<std::size_t>(format)]));
}

void ExportViewModel::setPath(const QString& path)
{
    if (path != m_path) {
        m_path = path;
        forgetOutcome();
        Q_EMIT changed();
    }
}

void ExportViewModel::forgetOutcome()
{
    m_fault.clear();
    m_isReplacing = false;
    m_isSaved = false;
}

} // namespace vivavoce::ui
