#pragma once

#include "core/history/transcript_export.h"
#include "core/ports/text_files.h"

#include <QObject>
#include <QString>
#include <QStringList>
#include <QtQml/qqmlregistration.h>

namespace vivavoce::ui {

/// A conversation on its way into a file: in which format, under which name. The name's ending and the format always say the same.
class ExportViewModel final : public QObject {
    Q_OBJECT
    QML_ELEMENT
    QML_UNCREATABLE("The application makes it")
    Q_PROPERTY(QStringList formats READ formats CONSTANT)
    /// -1: the name has an ending that is none of ours.
    Q_PROPERTY(int format READ format WRITE setFormat NOTIFY changed)
    Q_PROPERTY(QString path READ path WRITE setPath NOTIFY changed)
    /// Why it cannot be saved there; empty: nothing is known of that.
    Q_PROPERTY(QString fault READ fault NOTIFY changed)
    /// There is such a file: to save again replaces it.
    Q_PROPERTY(bool isReplacing READ isReplacing NOTIFY changed)
    Q_PROPERTY(bool isSaved READ isSaved NOTIFY changed)

public:
    explicit ExportViewModel(core::TextFiles& files, QObject* parent = nullptr);

    /// Asks for a file for it: the page is to be shown.
    void begin(core::Transcript transcript);
    /// A file that is there already is replaced at the second call. A name without a folder goes where such files usually do.
    Q_INVOKABLE void save();

    [[nodiscard]] QStringList formats() const;
    [[nodiscard]] int format() const;
    void setFormat(int format);
    [[nodiscard]] QString path() const { return m_path; }
    void setPath(const QString& path);
    [[nodiscard]] QString fault() const { return m_fault; }
    [[nodiscard]] bool isReplacing() const { return m_isReplacing; }
    [[nodiscard]] bool isSaved() const { return m_isSaved; }

Q_SIGNALS:
    void changed();
    void wanted();

private:
    /// Unless there is something against it, which is told.
    void write();
    void forgetOutcome();

    core::TextFiles& m_files;
    core::Transcript m_transcript;
    QString m_path;
    QString m_fault;
    bool m_isReplacing = false;
    bool m_isSaved = false;
};

} // namespace vivavoce::ui
