<#
.SYNOPSIS
  One command each on Windows: run, build, test. Needs Visual Studio 2022 with C++, Git, and vcpkg (VCPKG_ROOT).
.DESCRIPTION
  .\dev.ps1 run             install what vcpkg.json lists, build, hold a conversation with the broker that you name
  .\dev.ps1 build [preset]  dev (by default) or release
  .\dev.ps1 test  [-R regex | any option of ctest]
  The offline agent's speech libraries are not in vcpkg: it is left out of the build here, so `run` wants --broker.
  Not tried yet: the servers still use POSIX pipes, and voice processing (webrtc-audio-processing) is not in vcpkg either.
#>
param(
    [Parameter(Position = 0)] [string] $Verb = '',
    [Parameter(Position = 1, ValueFromRemainingArguments = $true)] [string[]] $Rest = @()
)
$ErrorActionPreference = 'Stop'
Set-Location $PSScriptRoot

function Say($Text) { [Console]::Error.WriteLine("dev: $Text") }

function Stop-WithUsage($Text) {
    Say $Text
    Get-Help $PSCommandPath -Detailed | Out-String | Write-Host
    exit 2
}

function Invoke-Checked($Program, [string[]] $Arguments) {
    & $Program @Arguments
    if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
}

# Puts cl, cmake and ninja in the path, as the "Developer PowerShell" does.
function Enter-BuildShell {
    if (Get-Command cl -ErrorAction SilentlyContinue) { return }
    $vswhere = Join-Path ${env:ProgramFiles(x86)} 'Microsoft Visual Studio\Installer\vswhere.exe'
    if (-not (Test-Path $vswhere)) { Say 'Visual Studio 2022 with C++ was not found'; exit 1 }
    $studio = & $vswhere -latest -products * -requires Microsoft.VisualStudio.Component.VC.Tools.x86.x64 -property installationPath
    if (-not $studio) { Say 'Visual Studio is there, but not its C++ tools'; exit 1 }
    Import-Module (Join-Path $studio 'Common7\Tools\Microsoft.VisualStudio.DevShell.dll')
    Enter-VsDevShell -VsInstallPath $studio -SkipAutomaticLocation -DevCmdArguments '-arch=x64' | Out-Null
}

function Build-Preset($Preset, [string[]] $Targets) {
    if (-not $env:VCPKG_ROOT) { Say 'VCPKG_ROOT is not set: clone vcpkg, run its bootstrap, set VCPKG_ROOT to its folder'; exit 1 }
    Enter-BuildShell
    if (-not (Test-Path "build/$Preset/build.ninja")) {
        # In manifest mode configuring installs what vcpkg.json lists; the first time takes long.
        Invoke-Checked cmake @('--preset', $Preset, '-DVV_BUILD_AGENT=OFF',
            "-DCMAKE_TOOLCHAIN_FILE=$env:VCPKG_ROOT/scripts/buildsystems/vcpkg.cmake")
    }
    Invoke-Checked cmake (@('--build', "build/$Preset") + $Targets)
}

switch ($Verb) {
    'run' {
        Build-Preset release @('--target', 'programs')
        if ($Rest -notcontains '--broker') {
            Say 'the offline agent is not built on Windows: name a broker, as in  .\dev.ps1 run --broker https://broker.example'
            exit 2
        }
        New-Item -ItemType Directory -Force build/run | Out-Null
        Invoke-Checked 'build/release/bin/vivavoce-cli.exe' (@('talk', '--in', 'resources/recordings/question.wav',
            '--out', 'build/run/reply.wav') + $Rest)
        Say 'the reply was written to build/run/reply.wav'
    }
    'build' {
        $preset = if ($Rest.Count -gt 0) { $Rest[0] } else { 'dev' }
        if ($preset -notin 'dev', 'release') { Stop-WithUsage "no preset $preset here" }
        Build-Preset $preset @()
    }
    'test' {
        Build-Preset dev @()
        Invoke-Checked ctest (@('--preset', 'dev') + $Rest)
    }
    { $_ -in '', '-h', '--help', 'help' } { Get-Help $PSCommandPath -Detailed | Out-String | Write-Host; if ($Verb -eq '') { exit 2 } }
    default { Stop-WithUsage "unknown verb $Verb" }
}
