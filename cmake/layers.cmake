# The arrows of the house. vv_check_layers() walks what every library of ours links, PUBLIC links of its links included,
# and stops the configure step at the first arrow that is not in this table. docs/architecture.md draws it.
#
# VV_LAYER_<target>_OURS: our own libraries it may reach, through whichever door.
# VV_LAYER_<target>_PUBLIC, _PRIVATE: third-party ones, as regular expressions. Who links the target gets the public ones too.
# What Qt makes of a module's own resources are objects of that module.
set(VV_LAYER_ANY "^vv_warnings$" "^Threads::" "^-" "^::@" "^vv_ui_[a-z]+_(resources_[0-9]+|init|qmlcache)$" "TARGET_OBJECTS:.*vv_ui_[a-z]+_(resources_|init|qmlcache)")

set(VV_LAYER_vv_core_OURS "")
set(VV_LAYER_vv_core_PUBLIC "^nlohmann_json" "^tl::expected$")
set(VV_LAYER_vv_core_PRIVATE "^VV::Valijson$")

set(VV_LAYER_vv_dsp_OURS vv_core)
set(VV_LAYER_vv_dsp_PUBLIC "")
set(VV_LAYER_vv_dsp_PRIVATE "^PkgConfig::(SndFile|SpeexDsp|WebRtcAudioProcessing|Opus)$")

set(VV_LAYER_vv_audio_rt_OURS "")
set(VV_LAYER_vv_audio_rt_PUBLIC "")
set(VV_LAYER_vv_audio_rt_PRIVATE "")

set(VV_LAYER_vv_audio_OURS vv_core vv_audio_rt vv_dsp)
set(VV_LAYER_vv_audio_PUBLIC "")
set(VV_LAYER_vv_audio_PRIVATE "^PkgConfig::PortAudio$" "^Qt6::Multimedia$" "^dl$")

# Asio and Beast compiled once: a part of net with nothing of ours in it.
set(VV_LAYER_vv_boost_net_OURS "")
set(VV_LAYER_vv_boost_net_PUBLIC "^Boost::" "^OpenSSL::")
set(VV_LAYER_vv_boost_net_PRIVATE "")

set(VV_LAYER_vv_net_OURS vv_core vv_boost_net)
set(VV_LAYER_vv_net_PUBLIC "^Boost::" "^OpenSSL::")
set(VV_LAYER_vv_net_PRIVATE "")

set(VV_LAYER_vv_platform_OURS vv_core)
set(VV_LAYER_vv_platform_PUBLIC "^Qt6::Core$")
set(VV_LAYER_vv_platform_PRIVATE "^Qt6::(Gui|Network|Sql|WebSockets|NetworkAuth|DBus)(Private)?$")

set(VV_LAYER_vv_embedded_OURS vv_core)
set(VV_LAYER_vv_embedded_PUBLIC "^Qt6::Core$")
set(VV_LAYER_vv_embedded_PRIVATE "")

# Features beside each other: none knows another, all know the style.
set(VV_LAYER_vv_ui_style_OURS vv_core)
set(VV_LAYER_vv_ui_style_PUBLIC "^Qt6::(Core|Gui|Qml|Quick|Svg)$")
set(VV_LAYER_vv_ui_style_PRIVATE "^Qt6?::(Core|Qml)(Private)?$")
foreach(feature account conversation history settings shell usage)
  set(VV_LAYER_vv_ui_${feature}_OURS vv_core vv_ui_style)
  set(VV_LAYER_vv_ui_${feature}_PUBLIC "^Qt6::(Core|Gui|Qml|Quick)$")
  set(VV_LAYER_vv_ui_${feature}_PRIVATE "^Qt6?::(Core|Qml)(Private)?$")
endforeach()

set(VV_LAYER_vv_cli_OURS vv_core vv_dsp vv_audio vv_audio_rt vv_platform vv_embedded)
set(VV_LAYER_vv_cli_PUBLIC "^Qt6::Core$")
set(VV_LAYER_vv_cli_PRIVATE "^Qt6::(Network|WebSockets)$" "^CLI11::")

set(VV_LAYER_vv_app_OURS vv_core vv_audio vv_audio_rt vv_dsp vv_platform vv_embedded vv_ui_style vv_ui_account vv_ui_conversation vv_ui_history vv_ui_settings vv_ui_shell vv_ui_usage)
set(VV_LAYER_vv_app_PUBLIC "^Qt6::(Core|Gui|Qml|Quick)$")
set(VV_LAYER_vv_app_PRIVATE "^Qt6::(Network|DBus)$")

set(VV_LAYER_vv_broker_lib_OURS vv_core vv_net vv_boost_net vv_dsp)
set(VV_LAYER_vv_broker_lib_PUBLIC "")
set(VV_LAYER_vv_broker_lib_PRIVATE "^spdlog::" "^OpenSSL::" "^tomlplusplus::" "^CLI11::" "^PkgConfig::Hiredis(Ssl)?$" "^VV::Soci$" "^PkgConfig::PrometheusCore$" "^simdjson::" "^CURL::libcurl$")

set(VV_LAYER_vv_agent_lib_OURS vv_core vv_net vv_boost_net vv_dsp)
set(VV_LAYER_vv_agent_lib_PUBLIC "")
set(VV_LAYER_vv_agent_lib_PRIVATE "^PkgConfig::PocketSphinx$" "^vv_flite$" "^OpenSSL::" "^spdlog::" "^CLI11::")

set(VV_LAYER_vv_test_support_OURS vv_core vv_net vv_boost_net)
set(VV_LAYER_vv_test_support_PUBLIC "^Qt6::(Core|Test)$" "^Boost::" "^OpenSSL::")
set(VV_LAYER_vv_test_support_PRIVATE "")

# The entries of a link property, unwrapped from generator expressions; links for the linker alone are left out with PUBLIC.
function(_vv_links target property out)
  get_target_property(entries ${target} ${property})
  set(links "")
  foreach(entry IN LISTS entries)
    if(property STREQUAL "INTERFACE_LINK_LIBRARIES" AND entry MATCHES "LINK_ONLY")
      continue()
    endif()
    while(entry MATCHES "^\\$<(\\$<[^<>]*>|[^<>:]*):(.*)>$")
      set(entry "${CMAKE_MATCH_2}")
    endwhile()
    list(APPEND links "${entry}")
  endforeach()
  list(REMOVE_ITEM links "entries-NOTFOUND")
  set(${out} "${links}" PARENT_SCOPE)
endfunction()

function(_vv_refuse_unless_matched target item message)
  foreach(pattern IN LISTS VV_LAYER_ANY ARGN)
    if(item MATCHES "${pattern}")
      return()
    endif()
  endforeach()
  message(FATAL_ERROR "Layer check: ${target} ${message} ${item} (cmake/layers.cmake)")
endfunction()

function(vv_check_layers)
  get_property(ours GLOBAL PROPERTY VV_LAYER_TARGETS)
  foreach(target IN LISTS ours)
    if(NOT DEFINED VV_LAYER_${target}_OURS)
      message(FATAL_ERROR "Layer check: ${target} has no row in cmake/layers.cmake")
    endif()
    set(public "${VV_LAYER_${target}_PUBLIC}")
    _vv_links(${target} LINK_LIBRARIES queue)
    foreach(item IN LISTS queue)
      if(NOT item IN_LIST ours)
        _vv_refuse_unless_matched(${target} "${item}" "may not link" ${public} ${VV_LAYER_${target}_PRIVATE})
      endif()
    endforeach()
    _vv_links(${target} INTERFACE_LINK_LIBRARIES interface)
    foreach(item IN LISTS interface)
      if(NOT item IN_LIST ours)
        _vv_refuse_unless_matched(${target} "${item}" "may link, but not PUBLIC," ${public})
      endif()
    endforeach()

    set(seen "")
    while(queue)
      list(POP_FRONT queue item)
      if(item IN_LIST ours AND NOT item IN_LIST seen)
        list(APPEND seen ${item})
        if(NOT item IN_LIST VV_LAYER_${target}_OURS)
          message(FATAL_ERROR "Layer check: ${target} may not link ${item} (cmake/layers.cmake)")
        endif()
        _vv_links(${item} INTERFACE_LINK_LIBRARIES more)
        list(APPEND queue ${more})
      endif()
    endwhile()
  endforeach()
endfunction()
