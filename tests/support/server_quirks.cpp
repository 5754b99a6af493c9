#include "tests/support/server_quirks.h"

namespace vivavoce::tests {

ServerQuirks quirksOf(std::optional<ServerKind> kind)
{
    ServerQuirks quirks;
    if (!kind) {
        quirks.tellsRateLimits = quirks.tellsContentParts = quirks.tellsItemEnds = false;
        quirks.endsReplyFirst = true;
        return quirks;
    }
    switch (*kind) {
    case ServerKind::OpenAi:
    case ServerKind::Azure:
        break;
    case ServerKind::Xai:
        quirks.greetsWithConversation = true;
        break;
    case ServerKind::LocalAi:
        quirks.ignoresUnknown = true;
        quirks.speaksInOnePiece = true;
        quirks.tellsRateLimits = false;
        break;
    case ServerKind::Speaches:
        quirks.dialect = core::openai::Dialect::Beta;
        quirks.hasFixedSound = true;
        quirks.takesCancel = false;
        quirks.truncates = Truncates::Refuses;
        quirks.hasErrorCodes = false;
        quirks.tellsUsage = quirks.tellsRateLimits = false;
        quirks.writesDownFirst = true;
        break;
    case ServerKind::SpeechToSpeech:
        quirks.truncates = Truncates::Ignores;
        quirks.tellsRateLimits = quirks.tellsContentParts = false;
        quirks.createsToldItems = true;
        quirks.endsReplyFirst = true;
        break;
    }
    return quirks;
}

} // namespace vivavoce::tests
