#pragma once

#include "app/offline/fake_usage_book.h"
#include "app/offline/fakes.h"
#include "core/tools/built_in_tools.h"

#include <QSize>
#include <QString>

#include <functional>
#include <utility>
#include <vector>

namespace vivavoce::offline {

/// What a scene may arrange before it is seen.
struct Stage {
    FakeConversation& conversation;
    FakeVoice& voice;
    FakeDevices& devices;
    FakeAccount& account;
    FakeHistory& history;
    FakeApprovals& approvals;
    FakeTools& tools;
    /// Says that a timer is over.
    std::function<void(const core::TimerDue&)> tellTimer;
    /// Says that the settings were damaged.
    std::function<void()> tellDamagedSettings;
    FakeUsageBook& book;
};

/// One picture: a page in one state.
struct Scene {
    QString name;
    QSize size{420, 720};
    std::function<void(core::Settings&)> settings = [](core::Settings&) {};
    std::function<void(const Stage&)> arrange = [](const Stage&) {};
    /// Of the settings page, or that of usage, scrolled by so many pixels; negative: the conversation, or its top.
    int settingsScroll = -1;
    /// The name of what has the keyboard; empty: what has it anyway.
    QString focus = {};
    /// The names of what is clicked, in order.
    QStringList press = {};
    /// Drawn at twice the size too.
    bool isScaledToo = false;
    /// Of the account page.
    bool isAccount = false;
    /// Of the page of kept conversations.
    bool isHistory = false;
    /// What is typed into the fields of these names, before something is clicked.
    std::vector<std::pair<QString, QString>> typed = {};
    /// Of the page of what was used.
    bool isUsage = false;
};

[[nodiscard]] std::vector<Scene> allScenes();

} // namespace vivavoce::offline
