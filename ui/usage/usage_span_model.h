#pragma once

#include "core/ports/usage_book.h"

#include <QAbstractListModel>
#include <QtQml/qqmlregistration.h>

#include <vector>

namespace vivavoce::ui {

/// Days or months, and what was used in each.
class UsageSpanModel : public QAbstractListModel {
    Q_OBJECT
    QML_ELEMENT
    QML_UNCREATABLE("The usage has it")
    Q_PROPERTY(int count READ count NOTIFY countChanged)

public:
    /// `Parts` has a line for what went in, what came out, and what wrote down the words.
    enum Role { When = Qt::UserRole + 1, Money, Detail, Parts };

    explicit UsageSpanModel(QObject* parent = nullptr) : QAbstractListModel(parent) {}

    void set(std::vector<core::UsageSum> spans);
    [[nodiscard]] int count() const { return static_cast<int>(m_spans.size()); }
    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QHash<int, QByteArray> roleNames() const override;

Q_SIGNALS:
    void countChanged();

private:
    std::vector<core::UsageSum> m_spans;
};

} // namespace vivavoce::ui
