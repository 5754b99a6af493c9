#include "agent/skills/skill.h"

namespace vivavoce::agent::skills {

std::vector<std::unique_ptr<Skill>> makeSkills()
{
    std::vector<std::unique_ptr<Skill>> skills;
    for (auto* make :
        {makeStopSkill, makeTimerSkill, makeConversionSkill, makeArithmeticSkill, makeDateSkill, makeTimeSkill,
            makeChoiceSkill, makeSpellingSkill, makeRepeatSkill, makeStyleSkill, makeHelpSkill, makeSmallTalkSkill}) {
        skills.push_back(make());
    }
    return skills;
}

} // namespace vivavoce::agent::skills
