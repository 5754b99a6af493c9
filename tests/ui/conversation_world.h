#pragma once

#include "tests/support/manual_clock.h"
#include "tests/ui/ui_fakes.h"
#include "ui/conversation/conversation_view_model.h"

#include <QTest>

namespace vivavoce::tests {

/// A conversation's view model and all that is around it.
struct ConversationWorld {
    ManualClock clock;
    FakeConversation conversation;
    FakeVoiceControls voice;
    FakeSettingsStore store;
    core::LiveSettings settings{store};
    ui::ConversationViewModel model{{conversation, voice, clock, settings}};

    void change(void (*edit)(core::Settings&))
    {
        core::Settings wanted = settings.current();
        edit(wanted);
        QVERIFY(settings.change(wanted).has_value());
    }
    void pushToTalk()
    {
        change([](core::Settings& wanted) { wanted.talkMode = core::TalkMode::PushToTalk; });
    }
};

[[nodiscard]] inline core::session_notice::TokenChanged token(
    core::TokenNews news, const char* model = "gpt-realtime-2.1")
{
    return {news, "voice_1", core::Milliseconds{60'000}, core::Milliseconds{24'000}, "openai", model};
}

} // namespace vivavoce::tests
