# What a self-contained bundle is started by, on x86-64. Assembled with strings.s behind it; see __init__.py.
#
# rbx: where the kernel has put argc   rbp: three texts of 4352 bytes each: the variable LD_LIBRARY_PATH, the path of
# Python, the path of what it runs   r12: this program's path, in the first of them   r13: the length of its folder's
        .intel_syntax noprefix
        .globl  _start
_start: mov     rbx, rsp
        sub     rsp, 3 * 4352
        mov     rbp, rsp
        mov     rdi, rbp
        lea     rsi, [rip + variable]
        mov     ecx, 16
        rep movsb
        mov     r12, rdi
        lea     rdi, [rip + self]
        mov     rsi, r12
        mov     edx, 4096
        mov     eax, 89                 # readlink
        syscall
        test    eax, eax
        jle     fail
        cmp     eax, 4096
        jge     fail
        mov     r13d, eax
cut:    dec     r13d
        js      fail
        cmp     byte ptr [r12 + r13], '/'
        jne     cut
        inc     r13d                    # with the slash
        lea     rdi, [rbp + 4352]
        lea     rdx, [rip + python]
        call    join
        lea     rdi, [rbp + 2 * 4352]
        lea     rdx, [rip + program]
        call    join
        lea     rdi, [r12 + r13]
        lea     rsi, [rip + libraries]
        mov     ecx, 15
        rep movsb
        mov     rax, [rbx]              # argc
        lea     rsi, [rbx + rax * 8 + 16]
        xor     ecx, ecx
count:  cmp     qword ptr [rsi + rcx * 8], 0
        lea     rcx, [rcx + 1]          # leaves the flags; the null counts, too
        jne     count
        lea     rax, [rcx * 8 + 8]
        sub     rsp, rax
        mov     rdi, rsp
        dec     ecx
        rep movsq
        mov     [rdi], rbp
        mov     qword ptr [rdi + 8], 0
        mov     rdx, rsp                # the environment
        cmp     qword ptr [rbx], 1
        jg      given
        push    0
        lea     rax, [rbp + 2 * 4352]
        push    rax
        lea     rax, [rip + utf8]
        push    rax
        lea     rax, [rip + x]
        push    rax
        lea     rax, [rip + no_site]
        push    rax
        lea     rax, [rip + isolated]
        push    rax
        lea     rax, [rbp + 4352]
        push    rax
        mov     rsi, rsp
        jmp     run
given:  lea     rax, [rbp + 4352]
        mov     [rbx + 8], rax
        lea     rsi, [rbx + 8]
run:    lea     rdi, [rbp + 4352]
        mov     eax, 59                 # execve
        syscall
fail:   mov     edi, 2
        lea     rsi, [rip + text]
        mov     edx, offset text_end - text
        mov     eax, 1                  # write
        syscall
        mov     edi, 127
        mov     eax, 60                 # exit
        syscall

# The folder and the text at rdx, to rdi. What is copied behind the text's end does not matter.
join:   mov     rsi, r12
        mov     ecx, r13d
        rep movsb
        mov     rsi, rdx
        mov     ecx, 20
        rep movsb
        ret
